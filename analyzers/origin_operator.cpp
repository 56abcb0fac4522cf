// Row-major factors are BLAS's transposes, so that no product needs a copy.
#include "analyzers/origin_operator.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/lapack.hpp"
#include "analyzers/numerics/largest_singular_value.hpp"
#include "analyzers/numerics/moment_sums.hpp"
#include "analyzers/numerics/random_numbers.hpp"
#include "analyzers/numerics/spectrum_result.hpp"

namespace stemma {

namespace {

constexpr std::uint32_t block_stream = 0x6f7431;  // random numbers that nobody else uses
/// Steps after which the edge of 2,048 x 2,048 normal numbers is right to 1 %.
constexpr int edge_steps = 24;

}  // namespace

LinearOperator matrix_operator(std::span<const double> a, std::uint64_t rows, std::uint64_t cols) {
  if (a.size() != rows * cols) throw std::invalid_argument("the elements of a matrix do not fill its shape");
  // A product with one vector would spend its time on packing the matrix.
  const auto apply = [=](std::uint64_t count, std::span<const double> x, std::span<double> y) {
    if (count == 1) return dgemv(Transpose::yes, cols, rows, 1, a.data(), cols, x.data(), 0, y.data());
    dgemm(Transpose::yes, Transpose::no, rows, count, cols, 1, a.data(), cols, x.data(), cols, 0, y.data(),
          rows);
  };
  const auto apply_transpose = [=](std::uint64_t count, std::span<const double> x, std::span<double> y) {
    if (count == 1) return dgemv(Transpose::no, cols, rows, 1, a.data(), cols, x.data(), 0, y.data());
    dgemm(Transpose::no, Transpose::no, cols, count, rows, 1, a.data(), cols, x.data(), rows, 0, y.data(),
          cols);
  };
  return {rows, cols, apply, apply_transpose};
}

LinearOperator product_operator(std::span<const double> b, std::span<const double> a, std::uint64_t rows,
                                std::uint64_t inner, std::uint64_t cols) {
  const LinearOperator left = matrix_operator(b, rows, inner), right = matrix_operator(a, inner, cols);
  const auto apply = [=](std::uint64_t count, std::span<const double> x, std::span<double> y) {
    std::vector<double> between(inner * count);
    right.apply(count, x, between);
    left.apply(count, between, y);
  };
  const auto apply_transpose = [=](std::uint64_t count, std::span<const double> x, std::span<double> y) {
    std::vector<double> between(inner * count);
    left.apply_transpose(count, x, between);
    right.apply_transpose(count, between, y);
  };
  return {rows, cols, apply, apply_transpose};
}

ThinFactors sum_of_products(std::span<const double> left_1, std::span<const double> right_1, double sign,
                            std::span<const double> left_2, std::span<const double> right_2,
                            std::uint64_t rows) {
  ThinFactors out;
  const std::uint64_t inner_1 = left_1.size() / rows, inner_2 = left_2.size() / rows;
  out.left.reserve(left_1.size() + left_2.size());
  for (std::uint64_t row = 0; row < rows; ++row) {
    for (const double x : left_1.subspan(row * inner_1, inner_1)) out.left.push_back(x);
    for (const double x : left_2.subspan(row * inner_2, inner_2)) out.left.push_back(sign * x);
  }
  out.right.assign(right_1.begin(), right_1.end());
  out.right.insert(out.right.end(), right_2.begin(), right_2.end());
  return out;
}

std::optional<std::vector<double>> leading_singular_values(const LinearOperator& matrix, std::uint64_t count,
                                                           std::uint64_t seed) {
  const std::uint64_t m = matrix.rows, n = matrix.cols;
  if (count > std::min(m, n)) throw std::invalid_argument("a matrix has fewer singular values");
  if (count == 0) return std::vector<double>();
  std::vector<double> right = normal_numbers(seed, block_stream, n * count), left(m * count);
  for (int step = 0; step <= leading_power_steps; ++step) {
    matrix.apply(count, right, left);
    if (!all_finite(left)) return std::nullopt;
    orthonormal_factor(left, m, count);
    matrix.apply_transpose(count, left, right);
    if (!all_finite(right)) return std::nullopt;
    if (step < leading_power_steps) orthonormal_factor(right, n, count);
  }
  return required_singular_values(right, n, count);
}

double largest_singular_value(const LinearOperator& matrix) {
  if (matrix.rows == 0 || matrix.cols == 0) return 0;
  std::vector<double> between(matrix.rows);
  const NormalProduct product = [&](std::span<const double> x, std::span<double> y) {
    matrix.apply(1, x, between);
    matrix.apply_transpose(1, between, y);
  };
  return largest_singular_value_bound(product, matrix.cols, std::numeric_limits<double>::infinity(),
                                      edge_steps);
}

}  // namespace stemma
