// What shape does a spectrum have?
#include "analyzers/numerics/spectral_shape.hpp"

#include <cmath>

#include "analyzers/numerics/exact_sum.hpp"
#include "analyzers/numerics/portable_log.hpp"

namespace stemma {

namespace {

/// - sum p ln p with p proportional to weight(s); zero weights add nothing.
template <typename Weight>
double entropy_of_weights(std::span<const double> values, Weight weight) {
  ExactSum total, sum;
  for (const double s : values) total.add(weight(s));
  for (const double s : values) {
    const double p = weight(s) / total.value();
    if (p > 0) sum.add(-p * portable_log(p));
  }
  return sum.value();
}

double tail_exponent_of(std::span<const double> values, double tau) {
  const std::size_t h = values.size() / 2;
  if (h == 0 || !(values[h] > 0) || values[h] < tau) return SpectralShape::none;
  ExactSum sum;
  for (std::size_t i = 0; i < h; ++i) sum.add(2 * portable_log(values[i] / values[h]));
  return sum.value() > 0 ? 1 + static_cast<double>(h) / sum.value() : SpectralShape::none;
}

}  // namespace

SpectralShape shape_of(std::span<const double> values, double tau) {
  SpectralShape shape;
  if (values.empty() || !(values.front() > 0)) return shape;
  const double s1 = values.front();
  ExactSum square, fourth;
  for (const double s : values) {
    const double l = (s / s1) * (s / s1);
    square.add(l);
    fourth.add(l * l);
  }
  shape.stable_rank = square.value();
  shape.participation_ratio = square.value() * square.value() / fourth.value();
  shape.entropy = entropy_of_weights(values, [&](double s) { return s / s1; });
  shape.effective_rank = std::exp(shape.entropy);
  shape.energy_rank = std::exp(entropy_of_weights(values, [&](double s) { return (s / s1) * (s / s1); }));
  shape.tail_exponent = tail_exponent_of(values, tau);
  if (values.back() > 0 && values.back() >= tau) shape.condition = s1 / values.back();
  return shape;
}

}  // namespace stemma
