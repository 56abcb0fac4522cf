// Are the weights of two models equal, or equal once the finer ones are rounded to the coarser format, or to
// the codes of a quantised one?
#pragma once
#include <cstdint>
#include <string>

#include "analyzers/pair_analyzer.hpp"
#include "io/archive/evidence.hpp"
#include "io/archive/features.hpp"

namespace stemma {

/// One subject for each weight of both models that is not known to be equal, by its path (of a tensor without
/// a role: by its name). Values go by once on each side and only their hashes are compared (XXH3-128), so
/// nothing is held; but where one is quantised, both are held and compared element by element. Option
/// "layers": 1 for the roles of layers, 0 for all others.
const PairAnalyzer& reencoding_analyzer();

/// What all subjects of a pair came to.
struct Reencoding {
  std::uint64_t weights = 0;    ///< paths of either model
  std::uint64_t alone = 0;      ///< paths that only one model has, or in another shape or incomparable type
  std::uint64_t equal = 0;      ///< bit for bit
  std::uint64_t rounded = 0;    ///< equal after rounding one side to the type of the other
  std::uint64_t quantised = 0;  ///< as near as rounding to the codes of one side, or of both, leaves them
  std::uint64_t telling = 0;    ///< of these, such that other rows of the same weight are not as near
  double nearest = missing, farthest_control = missing;  ///< least share of near elements of a quantised
                                                         ///< weight, largest of a telling one's other rows
  std::uint64_t failed = 0;                              ///< could not be read
  std::string coarser;  ///< types or schemes of the rounded side, the most frequent first
  int direction = 0;    ///< 1: the candidate is the rounded one, -1: the base, 0: unknown, as where
                        ///< the finer type holds the same values
  /// Every weight is equal or rounded, also to codes, and where there are codes some weight's tell.
  bool all_rounded() const {
    return equal + rounded + quantised == weights && (quantised > 0 ? telling : rounded) > 0;
  }
  bool all_equal() const { return weights > 0 && equal == weights; }
};
/// Its row of evidence: the share of weights that are equal or rounded, also to codes.
Evidence reencoding_evidence(const Reencoding& found);
/// From the features of both parts (layers and the rest).
Reencoding reencoding_of(const ModelPair& pair, const FeatureSource& features);

}  // namespace stemma
