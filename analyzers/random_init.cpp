// Do these curves look like weights that were never trained?
#include "analyzers/random_init.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analyzers/curves.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

/// Largest ratio max/min over the four curves; infinity when a curve is too short or touches zero.
double flatness(const IntrinsicCurves& curves) {
  double worst = 0;
  for (const auto& curve : curves.curve) {
    const std::vector<double> values = finite_values(curve);
    if (values.size() < static_cast<std::size_t>(thresholds::flat_curve_layers)) return INFINITY;
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    if (!(*low > 0)) return INFINITY;
    worst = std::max(worst, *high / *low);
  }
  return worst;
}

/// Largest edge ratio over all matrices; infinity when one is missing where its curve has a value.
double farthest_edge(const IntrinsicCurves& curves) {
  double farthest = 0;
  bool any = false;
  for (std::size_t part = 0; part < curves.edge.size(); ++part) {
    for (std::size_t i = 0; i < curves.edge[part].size(); ++i) {
      const bool exists = i < curves.curve[part].size() && std::isfinite(curves.curve[part][i]);
      const double edge = curves.edge[part][i];
      if (!std::isfinite(edge)) {
        if (exists) return INFINITY;
        continue;
      }
      farthest = std::max(farthest, edge);
      any = true;
    }
  }
  return any ? farthest : INFINITY;
}

}  // namespace

std::string random_init_reason(const IntrinsicCurves& curves) {
  if (const double ratio = flatness(curves); ratio < thresholds::flat_curve) {
    return fmt::format(
        "the standard deviations of q, k, v and o hardly vary over the layers (largest over smallest at most "
        "{:.4f}, "
        "below {}): weights as an initialiser leaves them",
        ratio, thresholds::flat_curve);
  }
  if (const double edge = farthest_edge(curves); edge <= thresholds::random_edge) {
    return fmt::format(
        "no matrix q, k, v, o has a singular value beyond the edge of a random matrix (largest ratio {:.4f}, "
        "trained ones exceed {}): weights as an initialiser leaves them",
        edge, thresholds::random_edge);
  }
  return "";
}

}  // namespace stemma
