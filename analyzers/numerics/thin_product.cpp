// Two triangles instead of the product: row-major B is column-major B^T, so that its R is the L of B^T = L Q.
#include "analyzers/numerics/thin_product.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/lapack.hpp"
#include "analyzers/numerics/moment_sums.hpp"
#include "analyzers/numerics/spectrum_result.hpp"

namespace stemma {

namespace {

/// Multiplies by a power of two that brings the largest magnitude into [1/2, 1), and returns what undoes it.
int scaled_to_one(std::span<double> values) {
  double largest = 0;
  for (const double x : values) largest = std::max(largest, std::abs(x));
  int exponent = 0;
  std::frexp(largest, &exponent);
  for (double& x : values) x = std::scalbn(x, -exponent);
  return exponent;
}

}  // namespace

std::optional<std::vector<double>> thin_product_values(const ThinProduct& product) {
  const std::uint64_t m = product.rows, r = product.inner, n = product.cols;
  if (r > std::min(m, n)) throw std::invalid_argument("the inner side of a thin product is its shortest");
  if (product.b.size() != m * r || product.a.size() != r * n)
    throw std::invalid_argument("the elements of a factor do not fill its shape");
  if (!all_finite(product.b) || !all_finite(product.a)) return std::nullopt;
  if (r == 0) return std::vector<double>();
  const int exponent = scaled_to_one(product.b) + scaled_to_one(product.a);
  const std::vector<double> left = lower_factor(product.b, r, m);   // R_B^T
  const std::vector<double> right = upper_factor(product.a, n, r);  // R_A
  std::vector<double> core(r * r);                                  // R_A R_B^T, the transpose
  dgemm(Transpose::no, Transpose::no, r, r, r, 1, right.data(), r, left.data(), r, 0, core.data(), r);
  std::vector<double> values = required_singular_values(core, r, r);
  for (double& s : values) s = std::scalbn(s, exponent);
  return values;
}

}  // namespace stemma
