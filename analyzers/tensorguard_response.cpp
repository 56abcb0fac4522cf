// Moments of a rank-one matrix are products of moments.
#include "analyzers/tensorguard_response.hpp"

#include <cmath>

namespace stemma {

GradientFeatures gradient_features(const ResponseSums& y, std::span<const double> x) {
  GradientFeatures features;
  if (y.power[1] == 0 || x.empty()) return features;
  ResponseSums input;
  for (const double element : x) input.add(element);
  const double length = std::sqrt(y.power[1]);
  std::array<double, 4> raw{};
  double scale = 1;
  for (std::size_t k = 0; k < raw.size(); ++k) {
    scale *= length;
    raw[k] = y.power[k] / scale / static_cast<double>(y.count) *
             (input.power[k] / static_cast<double>(input.count));
  }
  const double mean = raw[0], variance = raw[1] - mean * mean;
  const double third = raw[2] - 3 * mean * raw[1] + 2 * mean * mean * mean;
  const double fourth = raw[3] - 4 * mean * raw[2] + 6 * mean * mean * raw[1] - 3 * std::pow(mean, 4);
  features.mean = mean;
  features.norm = std::sqrt(input.power[1]);
  if (variance <= 0) return features;  // one element, or all equal
  features.std = std::sqrt(variance);
  features.skewness = third / (variance * features.std);
  features.kurtosis = fourth / (variance * variance) - 3;
  return features;
}

}  // namespace stemma
