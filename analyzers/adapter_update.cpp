// The null of a rank is the rounding of what is stored, as for merged updates.
#include "analyzers/adapter_update.hpp"

#include <algorithm>
#include <cmath>
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
  return required_singular_values(product, f.cols, f.rows);
}

/// The largest singular value of dB A + B dA = [dB | B] [A ; dA].
double noise_edge(const LoraFactors& f, std::uint64_t seed, std::uint32_t draw) {
  const std::vector<double> db = rounding_noise(f.dtype_b, f.b, {seed, noise_of_b, draw});
  const std::vector<double> da = rounding_noise(f.dtype_a, f.a, {seed, noise_of_a, draw});
  const ThinFactors noise = sum_of_products(db, f.a, 1, f.b, da, f.rows);
  return largest_singular_value(product_operator(noise.left, noise.right, f.rows, 2 * f.inner, f.cols));
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
  for (std::uint32_t draw = 0; draw < rounding_draws(f.b.size() + f.a.size()); ++draw)
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
