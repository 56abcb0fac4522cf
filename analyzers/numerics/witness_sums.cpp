// What are the sums that bear witness of a matrix, many at once? Compiled for every instruction set, chosen
// when it runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "analyzers/numerics/witness_sums.cpp"
#include <hwy/foreach_target.h>
// What follows is read once for every instruction set.
#include <hwy/highway.h>

#include <cmath>

#include "analyzers/numerics/witness_sums.hpp"

HWY_BEFORE_NAMESPACE();
namespace stemma::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t partial_sums = 8;
using Partial = std::array<double, partial_sums>;
using Doubles = hn::CappedTag<double, partial_sums>;
using Vector = hn::Vec<Doubles>;

double in_order(const Partial& sums) {
  double sum = 0;
  for (const double x : sums) sum += x;
  return sum;
}

// Vectors that are shorter than eight go through the columns several times, each time through other ones.
// Loops over rows have a constant end, so that their sums stay in registers.

template <std::size_t Rows>
void add(const double* values, std::size_t n, const std::array<const double*, 2>& coefficients,
         const ColumnSums& columns, double* square_out, double* absolute_out) {
  const Doubles doubles;
  const std::size_t whole = n / partial_sums * partial_sums;
  double* const first = columns.first.data();
  double* const second = columns.second.data();
  double* const square = columns.square.data();
  double* const absolute = columns.absolute.data();
  Partial squares[Rows] = {}, magnitudes[Rows] = {};
  for (std::size_t lane = 0; lane < partial_sums; lane += hn::Lanes(doubles)) {
    Vector row_square[Rows], row_absolute[Rows];
    for (std::size_t r = 0; r < Rows; ++r) row_square[r] = row_absolute[r] = hn::Zero(doubles);
    for (std::size_t j = lane; j < whole; j += partial_sums) {
      Vector x = hn::LoadU(doubles, first + j), y = hn::LoadU(doubles, second + j);
      Vector of_squares = hn::LoadU(doubles, square + j), of_magnitudes = hn::LoadU(doubles, absolute + j);
      for (std::size_t r = 0; r < Rows; ++r) {
        const Vector a = hn::LoadU(doubles, values + r * n + j);
        const Vector a_sq = hn::Mul(a, a), magnitude = hn::Abs(a);
        x = hn::Add(x, hn::Mul(hn::Set(doubles, coefficients[0][r]), a));
        y = hn::Add(y, hn::Mul(hn::Set(doubles, coefficients[1][r]), a));
        of_squares = hn::Add(of_squares, a_sq);
        of_magnitudes = hn::Add(of_magnitudes, magnitude);
        row_square[r] = hn::Add(row_square[r], a_sq);
        row_absolute[r] = hn::Add(row_absolute[r], magnitude);
      }
      hn::StoreU(x, doubles, first + j);
      hn::StoreU(y, doubles, second + j);
      hn::StoreU(of_squares, doubles, square + j);
      hn::StoreU(of_magnitudes, doubles, absolute + j);
    }
    for (std::size_t r = 0; r < Rows; ++r) {
      hn::StoreU(row_square[r], doubles, squares[r].data() + lane);
      hn::StoreU(row_absolute[r], doubles, magnitudes[r].data() + lane);
    }
  }
  for (std::size_t r = 0; r < Rows; ++r) {
    for (std::size_t j = whole; j < n; ++j) {
      const double a = values[r * n + j];
      first[j] += coefficients[0][r] * a;
      second[j] += coefficients[1][r] * a;
      square[j] += a * a;
      absolute[j] += std::abs(a);
      squares[r][j - whole] += a * a;
      magnitudes[r][j - whole] += std::abs(a);
    }
    square_out[r] = in_order(squares[r]);
    absolute_out[r] = in_order(magnitudes[r]);
  }
}

RowSums add_rows(std::span<const double> rows, std::size_t count,
                 const std::array<RowNumbers, 2>& coefficients, const ColumnSums& columns) {
  RowSums out;
  const std::size_t n = columns.square.size();
  const double* const a = coefficients[0].data();
  const double* const b = coefficients[1].data();
  if (count == witness_rows) {
    add<witness_rows>(rows.data(), n, {a, b}, columns, out.square.data(), out.absolute.data());
    return out;
  }
  for (std::size_t r = 0; r < count; ++r)
    add<1>(rows.data() + r * n, n, {a + r, b + r}, columns, out.square.data() + r, out.absolute.data() + r);
  return out;
}

}  // namespace
}  // namespace stemma::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stemma {
namespace {
HWY_EXPORT(add_rows);
}  // namespace

RowSums add_rows(std::span<const double> rows, std::size_t count,
                 const std::array<RowNumbers, 2>& coefficients, const ColumnSums& columns) {
  return HWY_DYNAMIC_DISPATCH(add_rows)(rows, count, coefficients, columns);
}

}  // namespace stemma
#endif
