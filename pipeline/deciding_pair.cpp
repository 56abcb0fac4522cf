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
  const auto wanted = std::minmax({static_cast<std::uint32_t>(model), relative->second});
  const auto pairs = comparison_.pairs();
  const auto at = std::ranges::lower_bound(pairs, std::pair(wanted.first, wanted.second), {},
                                           [](const Pair& p) { return std::pair(p.a, p.b); });
  if (at == pairs.end() || at->a != wanted.first || at->b != wanted.second) return std::nullopt;
  DecidingPair found{.index = static_cast<std::size_t>(at - pairs.begin()),
                     .log10_p = at->log10_p,
                     .log10_p_corrected = at->log10_p_corrected};
  for (const Evidence& e : comparison_.with_evidence(found.index).evidence)
    if (!std::isnan(e.log10_p) && e.log10_p == found.log10_p) found.grade = e.grade;
  return found;
}

}  // namespace stemma
