// How alike are two curves over layers?
#include "analyzers/curves.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "analyzers/numerics/exact_sum.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

double mean_of(std::span<const double> curve) {
  ExactSum sum;
  for (const double x : curve) sum.add(x);
  return sum.value() / static_cast<double>(curve.size());
}

double population_std(std::span<const double> curve, double mean) {
  ExactSum sum;
  for (const double x : curve) sum.add((x - mean) * (x - mean));
  return std::sqrt(sum.value() / static_cast<double>(curve.size()));
}

}  // namespace

bool is_constant(std::span<const double> curve) {
  if (curve.empty()) return true;
  const double mean = mean_of(curve);
  return population_std(curve, mean) <= thresholds::constant_curve * std::abs(mean);
}

Correlation pearson(std::span<const double> a, std::span<const double> b) {
  const auto finite = [](double x) { return std::isfinite(x); };
  if (a.size() != b.size() || a.size() < 2 || !std::all_of(a.begin(), a.end(), finite) ||
      !std::all_of(b.begin(), b.end(), finite)) {
    return {std::numeric_limits<double>::quiet_NaN(), false};
  }
  if (is_constant(a) || is_constant(b)) return {0, true};
  const double mean_a = mean_of(a);
  const double mean_b = mean_of(b);
  ExactSum ab, aa, bb;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab.add((a[i] - mean_a) * (b[i] - mean_b));
    aa.add((a[i] - mean_a) * (a[i] - mean_a));
    bb.add((b[i] - mean_b) * (b[i] - mean_b));
  }
  return {std::clamp(ab.value() / (std::sqrt(aa.value()) * std::sqrt(bb.value())), -1.0, 1.0), false};
}

std::vector<double> resampled(std::span<const double> curve, std::size_t n) {
  if (curve.size() == n || curve.empty()) return {curve.begin(), curve.end()};
  std::vector<double> out(n, curve.front());
  for (std::size_t i = 0; n > 1 && i < n; ++i) {
    const double position =
        static_cast<double>(i) * static_cast<double>(curve.size() - 1) / static_cast<double>(n - 1);
    const std::size_t left = std::min(static_cast<std::size_t>(position), curve.size() - 1);
    const std::size_t right = std::min(left + 1, curve.size() - 1);
    const double weight = position - static_cast<double>(left);
    out[i] = curve[left] + weight * (curve[right] - curve[left]);
  }
  return out;
}

std::vector<double> normalised(std::span<const double> curve) {
  std::vector<double> out(curve.begin(), curve.end());
  if (out.empty()) return out;
  const double mean = mean_of(curve);
  const double scale = is_constant(curve) ? 1 : population_std(curve, mean);
  for (double& x : out) x = (x - mean) / scale;
  return out;
}

std::vector<double> finite_values(std::span<const double> curve) {
  std::vector<double> out;
  std::copy_if(curve.begin(), curve.end(), std::back_inserter(out),
               [](double x) { return std::isfinite(x); });
  return out;
}

}  // namespace stemma
