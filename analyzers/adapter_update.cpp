// The null of a rank is the rounding of what is stored, as for merged updates.
#include "analyzers/adapter_update.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/lapack.hpp"
#include "analyzers/numerics/moment_sums.hpp"
#include "analyzers/numerics/spectrum_result.hpp"
#include "analyzers/numerics/thin_product.hpp"
#include "analyzers/origin_operator.hpp"
#include "analyzers/origin_rounding.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

/// Numbers of both factors, which tell their noise apart from every other use of a seed.
constexpr std::uint32_t noise_of_a = 0x6c6f41, noise_of_b = 0x6c6f42;
constexpr std::uint64_t one_draw_elements = std::uint64_t{1} << 20;

double norm_of(std::span<const double> values) {
  return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
}

/// Of B A, unscaled. Row-major factors are the transposes of what LAPACK sees.
std::optional<std::vector<double>> product_values(const LoraFactors& f) {
  if (f.inner <= std::min(f.rows, f.cols)) {
    std::vector<double> b(f.b.begin(), f.b.end()), a(f.a.begin(), f.a.end());
    return thin_product_values({b, a, f.rows, f.inner, f.cols});
  }
  std::vector<double> product(f.rows * f.cols);
  dgemm(Transpose::no, Transpose::no, f.cols, f.rows, f.inner, 1, f.a.data(), f.cols, f.b.data(), f.inner, 0,
        product.data(), f.cols);
  if (!all_finite(product)) return std::nullopt;
  std::vector<double> values = dense_singular_values(product, f.cols, f.rows);
  if (values.empty() && !product.empty())
    refuse_spectrum("spectrum.invariant", "singular values", "dgesdd gave up");
  return values;
}

/// The largest singular value of dB A + B dA = [dB | B] [A ; dA].
double noise_edge(const LoraFactors& f, std::uint64_t seed, std::uint32_t draw) {
  const std::vector<double> db = rounding_noise(f.dtype_b, f.b, {seed, noise_of_b, draw});
  const std::vector<double> da = rounding_noise(f.dtype_a, f.a, {seed, noise_of_a, draw});
  std::vector<double> left, right(f.a.begin(), f.a.end());
  left.reserve(2 * f.b.size());
  for (std::uint64_t row = 0; row < f.rows; ++row) {
    const auto from = static_cast<std::ptrdiff_t>(row * f.inner),
               to = from + static_cast<std::ptrdiff_t>(f.inner);
    left.insert(left.end(), db.begin() + from, db.begin() + to);
    left.insert(left.end(), f.b.begin() + from, f.b.begin() + to);
  }
  right.insert(right.end(), da.begin(), da.end());
  return largest_singular_value(product_operator(left, right, f.rows, 2 * f.inner, f.cols));
}

}  // namespace

std::optional<AdapterUpdate> read_adapter_update(const LoraFactors& factors, std::uint64_t seed) {
  const LoraFactors& f = factors;
  if (f.b.size() != f.rows * f.inner || f.a.size() != f.inner * f.cols)
    throw std::invalid_argument("the elements of a factor do not fill its shape");
  if (!std::isfinite(f.scale) || !all_finite(f.b) || !all_finite(f.a)) return std::nullopt;
  auto values = product_values(f);
  if (!values) return std::nullopt;
  AdapterUpdate out;
  out.noise_edge = 4 * std::sqrt(static_cast<double>(f.inner)) * 0x1p-53 * norm_of(f.b) * norm_of(f.a);
  const std::uint32_t draws = f.b.size() + f.a.size() < one_draw_elements ? thresholds::origin_draws : 1;
  for (std::uint32_t draw = 0; draw < draws; ++draw)
    out.noise_edge = std::max(out.noise_edge, noise_edge(f, seed, draw));
  const double scale = std::abs(f.scale);
  for (double& s : *values) s *= scale;
  out.noise_edge *= scale;
  if (!all_finite(*values) || !std::isfinite(out.noise_edge)) return std::nullopt;
  out.values = std::move(*values);
  out.norm = norm_of(out.values);
  out.rank = static_cast<std::uint64_t>(std::ranges::count_if(
      out.values, [&](double s) { return s > thresholds::origin_noise * out.noise_edge; }));
  return out;
}

}  // namespace stemma
