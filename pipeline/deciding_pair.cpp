// How is the pair behind a verdict found again?
#include "pipeline/deciding_pair.hpp"

#include <algorithm>
#include <cmath>

namespace stemma {

DecidingPairs::DecidingPairs(std::span<const Fingerprint> models, const Comparison& comparison)
    : comparison_(comparison) {
  for (std::uint32_t m = 0; m < models.size(); ++m) index_of_[models[m].id] = m;
}

std::optional<DecidingPair> DecidingPairs::of(std::size_t model) const {
  const auto relative = index_of_.find(comparison_.verdicts()[model].relative);
  if (relative == index_of_.end()) return std::nullopt;
  const auto [a, b] = std::minmax({static_cast<std::uint32_t>(model), relative->second});
  const auto index = comparison_.index_of(a, b);
  if (!index) return std::nullopt;
  const Pair& pair = comparison_.pairs()[*index];
  DecidingPair found{
      .index = *index, .log10_p = pair.log10_p, .log10_p_corrected = pair.log10_p_corrected, .grade = {}};
  for (const Evidence& e : comparison_.with_evidence(found.index).evidence)
    if (!std::isnan(e.log10_p) && e.log10_p == found.log10_p) found.grade = e.grade;
  return found;
}

}  // namespace stemma
