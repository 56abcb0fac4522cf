// To which base do fingerprints of tensorguard belong, and how far apart are they?
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "io/archive/fingerprint.hpp"

namespace stemma {

/// Means and scales that make features comparable: over a set of models each feature has mean 0 and
/// population standard deviation 1; a feature that is the same in all models keeps its scale.
class GuardScaler {
 public:
  /// At least one vector.
  explicit GuardScaler(std::span<const GuardVector> models);
  GuardVector operator()(const GuardVector& features) const;

 private:
  GuardVector mean_{}, scale_{};
};

double euclidean_distance(const GuardVector& a, const GuardVector& b);

/// The families of standardised vectors: K-Means by Lloyd's algorithm with the known bases as first centres,
/// once (no restarts), until no vector changes its family.
struct GuardFamilies {
  std::vector<std::uint32_t> family;  ///< by model: index into the bases
  std::vector<GuardVector> centre;    ///< by base
  int steps = 0;                      ///< of Lloyd's algorithm
  /// Mean over the models of (b - a) / max(a, b), a the mean distance to the own family, b the least to
  /// another; 0 for a model alone in its family (Rousseeuw, J. Comput. Appl. Math. 20, 1987). NaN with fewer
  /// than two families.
  double silhouette = 0;
};

/// `bases` index `models`; at least one.
GuardFamilies guard_families(std::span<const GuardVector> models, std::span<const std::uint32_t> bases);

/// The base with the least distance, and that distance.
struct NearestBase {
  std::uint32_t base = 0;  ///< index into the bases
  double distance = 0;
};
NearestBase nearest_base(const GuardVector& model, std::span<const GuardVector> bases);

}  // namespace stemma
