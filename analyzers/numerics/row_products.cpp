// What are a few rows times one vector, or times two? Compiled for every instruction set, chosen when it
// runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "analyzers/numerics/row_products.cpp"
#include <hwy/foreach_target.h>
// What follows is read once for every instruction set.
#include <hwy/highway.h>

#include "analyzers/numerics/row_products.hpp"

HWY_BEFORE_NAMESPACE();
namespace stemma::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t partial_sums = 8;
using Partial = std::array<double, partial_sums>;
using Doubles = hn::CappedTag<double, partial_sums>;
using Vector = hn::Vec<Doubles>;

template <std::size_t Vectors>
using Factors = std::array<const double*, Vectors>;
template <std::size_t Vectors>
using Products = std::array<RowNumbers, Vectors>;

// Vectors that are shorter than eight go through the columns several times, each time through other ones.
// Loops over rows have a constant end, so that their sums stay in registers.
template <std::size_t Vectors, std::size_t Rows>
void products_of(const double* values, std::size_t n, const Factors<Vectors>& factors,
                 Products<Vectors>& out) {
  const Doubles doubles;
  const std::size_t whole = n / partial_sums * partial_sums;
  Partial products[Vectors][Rows] = {};
  for (std::size_t lane = 0; lane < partial_sums; lane += hn::Lanes(doubles)) {
    Vector sums[Vectors][Rows];
    for (auto& of_vector : sums)
      for (Vector& sum : of_vector) sum = hn::Zero(doubles);
    for (std::size_t j = lane; j < whole; j += partial_sums) {
      Vector x[Vectors];
      for (std::size_t p = 0; p < Vectors; ++p) x[p] = hn::LoadU(doubles, factors[p] + j);
      for (std::size_t r = 0; r < Rows; ++r) {
        const Vector a = hn::LoadU(doubles, values + r * n + j);
        for (std::size_t p = 0; p < Vectors; ++p) sums[p][r] = hn::Add(sums[p][r], hn::Mul(a, x[p]));
      }
    }
    for (std::size_t p = 0; p < Vectors; ++p)
      for (std::size_t r = 0; r < Rows; ++r) hn::StoreU(sums[p][r], doubles, products[p][r].data() + lane);
  }
  for (std::size_t r = 0; r < Rows; ++r)
    for (std::size_t p = 0; p < Vectors; ++p) {
      Partial& partial = products[p][r];
      for (std::size_t j = whole; j < n; ++j) partial[j - whole] += values[r * n + j] * factors[p][j];
      double sum = 0;
      for (const double x : partial) sum += x;
      out[p][r] = sum;
    }
}

template <std::size_t Vectors>
Products<Vectors> products_with(std::span<const double> rows, std::size_t count, std::size_t n,
                                const Factors<Vectors>& factors) {
  Products<Vectors> out{};
  if (count == rows_together) {
    products_of<Vectors, rows_together>(rows.data(), n, factors, out);
    return out;
  }
  for (std::size_t r = 0; r < count; ++r) {
    Products<Vectors> one{};
    products_of<Vectors, 1>(rows.data() + r * n, n, factors, one);
    for (std::size_t p = 0; p < Vectors; ++p) out[p][r] = one[p][0];
  }
  return out;
}

RowNumbers with_one(std::span<const double> rows, std::size_t count, std::span<const double> x) {
  return products_with<1>(rows, count, x.size(), {x.data()})[0];
}

std::array<RowNumbers, 2> with_two(std::span<const double> rows, std::size_t count,
                                   std::span<const double> first, std::span<const double> second) {
  return products_with<2>(rows, count, first.size(), {first.data(), second.data()});
}

}  // namespace
}  // namespace stemma::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stemma {
namespace {
HWY_EXPORT(with_one);
HWY_EXPORT(with_two);
}  // namespace

RowNumbers row_products(std::span<const double> rows, std::size_t count, std::span<const double> x) {
  return HWY_DYNAMIC_DISPATCH(with_one)(rows, count, x);
}

std::array<RowNumbers, 2> row_products(std::span<const double> rows, std::size_t count,
                                       std::span<const double> first, std::span<const double> second) {
  return HWY_DYNAMIC_DISPATCH(with_two)(rows, count, first, second);
}

}  // namespace stemma
#endif
