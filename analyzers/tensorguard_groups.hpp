// To which base does tensorguard assign every model of a corpus, and would shapes alone have done so?
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/archive/fingerprint.hpp"

namespace stemma {

/// What one feature vector says: the family by K-Means, the nearest base and its distance.
struct GuardPlace {
  std::string family;    ///< id of the base whose centre is nearest in the end
  std::string nearest;   ///< id of the base that is nearest itself
  double distance = 0;   ///< to that base, in standardised features
  bool unknown = false;  ///< beyond thresholds::guard_unknown: "quantised or new"
};

/// One model, by its weights and by Gaussian weights of its shapes.
struct GuardMember {
  std::string id;
  std::string declared;  ///< the base that it declares, of those that are bases here; "" for none
  bool is_base = false;
  GuardPlace weights, control;
};

/// The families of a corpus (arXiv 2506.01631): every feature standardised over all models, one Lloyd run of
/// K-Means from the bases.
struct GuardGroups {
  std::vector<std::string> bases;
  std::vector<GuardMember> members;  ///< in the order of the models
  double silhouette = 0, control_silhouette = 0;
  std::uint64_t declared = 0;                        ///< models that declare a base and are none
  std::uint64_t agreeing = 0, control_agreeing = 0;  ///< of these, in the family of that base
};

/// Bases are the models of use reference; where there are none, those that others declare. Nothing with fewer
/// than two bases or three models.
std::optional<GuardGroups> guard_groups(std::span<const Fingerprint> models);

}  // namespace stemma
