// Two thin factors stand for every d x d matrix here: nothing of that size is formed.
#include "analyzers/origin_circuit.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "analyzers/folding.hpp"
#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/moment_sums.hpp"
#include "analyzers/numerics/thin_product.hpp"
#include "analyzers/origin_operator.hpp"

namespace stemma {

namespace {

/// G = left right: d x H_kv d_h and H_kv d_h x d.
using Circuit = ThinFactors;

void check(const AttentionShape& shape, const ValueOutput& weights) {
  const std::uint64_t d = shape.width;
  if (shape.kv_heads == 0 || shape.heads % shape.kv_heads != 0)
    throw std::invalid_argument("query heads are a multiple of kv heads");
  if (weights.value.size() != shape.inner() * d ||
      weights.output.size() != d * shape.heads * shape.head_width ||
      (!weights.gain.empty() && weights.gain.size() != d))
    throw std::invalid_argument("the elements of an attention layer do not fill its shape");
}

Circuit circuit_of(const AttentionShape& shape, const ValueOutput& weights) {
  check(shape, weights);
  return {pooled_output(shape, weights.output), with_gain(weights.value, weights.gain)};
}

/// <A_1 B_1, A_2 B_2> = sum((A_1^T A_2) o (B_1 B_2^T)), o element by element.
double inner_product(const Circuit& one, const Circuit& two, std::uint64_t inner, std::uint64_t width) {
  std::vector<double> left(inner * inner), right(inner * inner);
  dgemm(Transpose::no, Transpose::yes, inner, inner, width, 1, one.left.data(), inner, two.left.data(), inner,
        0, left.data(), inner);
  dgemm(Transpose::yes, Transpose::no, inner, inner, width, 1, one.right.data(), width, two.right.data(),
        width, 0, right.data(), inner);
  return std::inner_product(left.begin(), left.end(), right.begin(), 0.0);
}

double square(std::span<const double> values) {
  return std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
}

}  // namespace

std::vector<double> pooled_output(const AttentionShape& shape, std::span<const double> output) {
  const std::uint64_t d_h = shape.head_width, group = shape.heads / shape.kv_heads;
  std::vector<double> out(shape.width * shape.inner());
  for (std::uint64_t row = 0; row < shape.width; ++row)
    for (std::uint64_t head = 0; head < shape.heads; ++head) {
      const double* from = output.data() + (row * shape.heads + head) * d_h;
      double* to = out.data() + row * shape.inner() + head / group * d_h;
      for (std::uint64_t i = 0; i < d_h; ++i) to[i] += from[i];
    }
  return out;
}

double circuit_noise_edge(const AttentionShape& shape, const ValueOutput& candidate,
                          const ValueOutputRounding& rounding, std::uint64_t seed) {
  const Circuit circuit = circuit_of(shape, candidate);
  const std::uint64_t d = shape.width;
  double edge = 0;
  for (std::uint32_t draw = 0; draw < thresholds::origin_draws; ++draw) {
    const std::vector<double> left = pooled_output(
        shape, rounding_noise(rounding.output, candidate.output, {seed, origin_output_noise, draw}));
    const std::vector<double> right = with_gain(
        rounding_noise(rounding.value, candidate.value, {seed, origin_value_noise, draw}), candidate.gain);
    const ThinFactors noise = sum_of_products(left, circuit.right, 1, circuit.left, right, d);
    const double largest =
        largest_singular_value(product_operator(noise.left, noise.right, d, 2 * shape.inner(), d));
    if (!std::isfinite(largest)) return largest;
    edge = std::max(edge, largest);
  }
  return edge;
}

std::optional<CircuitReading> read_circuit(const AttentionShape& shape, const ValueOutput& base,
                                           const ValueOutput& candidate, double noise_edge,
                                           const OriginOptions& options) {
  const Circuit b = circuit_of(shape, base), c = circuit_of(shape, candidate);
  const std::uint64_t d = shape.width, inner = shape.inner();
  ThinFactors difference = sum_of_products(c.left, c.right, -1, b.left, b.right, d);
  const double arithmetic = 0x1p-53 * norm_of(difference.left) * norm_of(difference.right);
  const double square_b = inner_product(b, b, inner, d), square_c = inner_product(c, c, inner, d),
               product = inner_product(b, c, inner, d);
  if (!std::isfinite(square_b + square_c) || !std::isfinite(noise_edge)) return std::nullopt;
  const std::uint64_t limit = rank_limit(options.max_rank, inner);
  const bool core = 2 * inner <= d;
  auto values =
      core ? thin_product_values({difference.left, difference.right, d, 2 * inner, d})
           : leading_singular_values(product_operator(difference.left, difference.right, d, 2 * inner, d),
                                     std::min(d, limit + thresholds::origin_spare_values), options.seed);
  if (!values) return std::nullopt;
  CircuitReading out;
  const double square_difference = core ? square(*values) : std::max(0.0, square_b + square_c - 2 * product);
  const double mean = (square_b + square_c) / 2, both = std::sqrt(square_b) * std::sqrt(square_c);
  if (mean > 0) out.delta = std::sqrt(square_difference / mean);
  if (both > 0) out.cosine = product / both;
  out.rank = read_rank(*values, std::max(noise_edge, arithmetic), limit);
  out.label = origin_label(out.rank, out.delta, out.delta);
  out.values = std::move(*values);
  return out;
}

std::optional<CircuitReading> read_circuit(const AttentionShape& shape, const ValueOutput& base,
                                           const ValueOutput& candidate, const ValueOutputRounding& rounding,
                                           const OriginOptions& options) {
  const auto finite = [](std::span<const double> values) {
    return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
  };
  if (!finite(candidate.value) || !finite(candidate.output)) return std::nullopt;
  return read_circuit(shape, base, candidate, circuit_noise_edge(shape, candidate, rounding, options.seed),
                      options);
}

}  // namespace stemma
