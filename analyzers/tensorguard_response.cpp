// Moments of a rank-one matrix are products of moments.
#include "analyzers/tensorguard_response.hpp"

#include <cmath>

#include "analyzers/thresholds.hpp"
#include "io/archive/evidence.hpp"

namespace stemma {
namespace {

// Sums of fourth powers below this have lost digits to gradual underflow.
constexpr double smallest_fourth = 1e-290;

std::string why_not(const ResponseSums& y) {
  if (!std::isfinite(y.power[0])) return "the answer to the input is not finite";
  if (y.count < thresholds::guard_fewest_rows) return "too few rows for a fourth moment";
  if (y.power[1] == 0) return "the answer to the input is zero";
  const bool in_range = y.power[3] >= smallest_fourth && std::isfinite(y.power[3]);
  return in_range ? "" : "powers of the answer leave the range of doubles";
}

}  // namespace

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

RepairedResponse repaired_response(const ResponseSums& y) {
  if (std::string problem = why_not(y); !problem.empty()) return {missing, missing, std::move(problem)};
  const double rows = static_cast<double>(y.count);
  const double square = y.power[1] / rows, third = y.power[2] / rows, fourth = y.power[3] / rows;
  return {fourth / (square * square), std::abs(third) / (square * std::sqrt(square)), ""};
}

RepairedControl repaired_control(std::uint64_t rows) {
  const double m = static_cast<double>(rows);
  return {3 * m / (m + 2), m / (m + 2) * std::sqrt(24 * (m - 1) / ((m + 4) * (m + 6))),
          std::sqrt(15 * m / ((m + 2) * (m + 4)))};
}

}  // namespace stemma
