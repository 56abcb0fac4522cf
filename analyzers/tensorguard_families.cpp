// Small sets of short vectors: plain loops in a fixed order.
#include "analyzers/tensorguard_families.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace stemma {
namespace {

constexpr int most_steps = 300;

std::uint32_t nearest(const GuardVector& vector, std::span<const GuardVector> centres) {
  return nearest_base(vector, centres).base;
}

/// Means of the families; one that lost all its members keeps its centre.
std::vector<GuardVector> means(std::span<const GuardVector> models, std::span<const std::uint32_t> family,
                               std::vector<GuardVector> centres) {
  std::vector<GuardVector> sums(centres.size(), GuardVector{});
  std::vector<double> members(centres.size(), 0);
  for (std::size_t m = 0; m < models.size(); ++m) {
    for (std::size_t i = 0; i < guard_features.size(); ++i) sums[family[m]][i] += models[m][i];
    ++members[family[m]];
  }
  for (std::size_t c = 0; c < centres.size(); ++c)
    for (std::size_t i = 0; i < guard_features.size(); ++i)
      if (members[c] > 0) centres[c][i] = sums[c][i] / members[c];
  return centres;
}

double silhouette_of(std::span<const GuardVector> models, std::span<const std::uint32_t> family,
                     std::size_t families) {
  double total = 0;
  std::vector<double> sum(families), members(families);
  for (std::size_t m = 0; m < models.size(); ++m) {
    std::fill(sum.begin(), sum.end(), 0);
    std::fill(members.begin(), members.end(), 0);
    for (std::size_t other = 0; other < models.size(); ++other) {
      if (other == m) continue;
      sum[family[other]] += euclidean_distance(models[m], models[other]);
      ++members[family[other]];
    }
    if (members[family[m]] == 0) continue;
    const double own = sum[family[m]] / members[family[m]];
    double other = std::numeric_limits<double>::infinity();
    for (std::size_t c = 0; c < families; ++c)
      if (c != family[m] && members[c] > 0) other = std::min(other, sum[c] / members[c]);
    if (std::isinf(other)) return std::numeric_limits<double>::quiet_NaN();
    if (std::max(own, other) > 0) total += (other - own) / std::max(own, other);
  }
  return total / static_cast<double>(models.size());
}

}  // namespace

GuardScaler::GuardScaler(std::span<const GuardVector> models) {
  if (models.empty()) throw std::invalid_argument("nothing to standardise");
  const auto n = static_cast<double>(models.size());
  for (std::size_t i = 0; i < guard_features.size(); ++i) {
    for (const GuardVector& model : models) mean_[i] += model[i] / n;
    double variance = 0;
    for (const GuardVector& model : models) variance += (model[i] - mean_[i]) * (model[i] - mean_[i]) / n;
    const bool constant =
        std::all_of(models.begin(), models.end(), [&](const GuardVector& m) { return m[i] == models[0][i]; });
    scale_[i] = constant ? 1 : std::sqrt(variance);
  }
}

GuardVector GuardScaler::operator()(const GuardVector& features) const {
  GuardVector out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = (features[i] - mean_[i]) / scale_[i];
  return out;
}

double euclidean_distance(const GuardVector& a, const GuardVector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}

NearestBase nearest_base(const GuardVector& model, std::span<const GuardVector> bases) {
  NearestBase found{0, std::numeric_limits<double>::infinity()};
  for (std::uint32_t base = 0; base < bases.size(); ++base)
    if (const double distance = euclidean_distance(model, bases[base]); distance < found.distance)
      found = {base, distance};
  return found;
}

GuardFamilies guard_families(std::span<const GuardVector> models, std::span<const std::uint32_t> bases) {
  GuardFamilies found;
  for (const std::uint32_t base : bases) found.centre.push_back(models[base]);
  std::vector<std::uint32_t> before;
  while (found.steps < most_steps) {
    found.family.clear();
    for (const GuardVector& model : models) found.family.push_back(nearest(model, found.centre));
    if (found.family == before) break;
    before = found.family;
    found.centre = means(models, found.family, std::move(found.centre));
    ++found.steps;
  }
  found.silhouette = silhouette_of(models, found.family, bases.size());
  return found;
}

}  // namespace stemma
