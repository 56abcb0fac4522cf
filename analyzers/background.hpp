// How high do unrelated models of the same depth score?
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analyzers/published_scores.hpp"
#include "io/archive/evidence.hpp"
#include "io/archive/fingerprint.hpp"

namespace stemma {

/// "<8", "8-15", "16-23", "24-35" or "36+".
std::string_view depth_stratum(int layers);

/// Scores of intrinsic_fingerprint between models that are not known to be related, by depth stratum.
struct Background {
  /// One null score. A score from the corpus knows its pair, so that no pair is ranked against itself.
  struct Score {
    double value = 0;
    std::int64_t a = -1;
    std::int64_t b = -1;
  };
  /// The scores themselves, or quantiles of scores that others published.
  struct Stratum {
    std::string population;     ///< whose scores these are, in words
    std::vector<Score> scores;  ///< ascending values; empty where quantiles are all that is known
    const PublishedScores* published = nullptr;
  };
  std::map<std::string, Stratum> strata;  ///< by depth_stratum
};

/// The corpus as its own background: every pair that has a score and that no chain of declarations and of
/// relations found (judge the pairs first) joins, so that a copy of a relative is no stranger. Relatives that
/// nobody declares and nothing finds stay in it: a score may look more usual than it is, never less. A pair
/// of different depths belongs to the stratum of the shallower model.
Background corpus_background(std::span<const Fingerprint> models, std::span<const Pair> pairs);

/// A table that the caller read: values by stratum. Throws std::invalid_argument for an unknown stratum or a
/// value that is no correlation.
Background table_background(const std::string& population,
                            const std::map<std::string, std::vector<double>>& values);

/// The scores that travel with the program, in every stratum.
Background published_background();

/// The same where `background` has fewer than thresholds::background_pairs scores.
Background filled_from_published(Background background);

/// Where a score stands among those of unrelated pairs: the percentage that is lower, and the upper-tail
/// conformal p = (1 + #{>= score}) / (1 + n) (Vovk, Gammerman, Shafer: Algorithmic Learning in a Random
/// World).
struct Rank {
  double percentile = missing;   ///< NaN when nothing is known, and below the lowest quantile that is
  double conformal_p = missing;  ///< NaN likewise
  std::uint64_t n = 0;           ///< pairs of the population
  std::string population;        ///< in words; "" when there is none
  /// How the percentile came about: "counted", "between quantiles", "above the largest", "below the
  /// smallest", or "below 25 %" (the lowest quantile that was published), which is then all that can be said.
  /// "" when nothing is known.
  std::string basis;
};
Rank rank_of(const Background& background, std::string_view stratum, double score, std::int64_t a = -1,
             std::int64_t b = -1);

/// Linear between neighbouring quantiles, so it never falls as the score rises. At the largest known score
/// one pair reaches it, beyond none does: percentile 100 and conformal p = 1 / (1 + n).
Rank rank_among(const PublishedScores& published, double score);

/// The rank of a judged pair's curve score in its stratum, the pair itself left out.
Rank rank_of(const Background& background, std::span<const Fingerprint> models, const Pair& pair);

/// Fills background, background_n, background_percentile and, into detail_json, percentile_basis and
/// conformal_p of the headline row of intrinsic_fingerprint of a judged pair. The grade stays N: no null is
/// valid here.
void rank_in_background(const Background& background, std::span<const Fingerprint> models, Pair& pair);

/// For every model the number of its component when declarations are edges: two models with different
/// numbers are joined by no chain of declarations. Bases that are absent join their children,
/// models of one name (from several archives) each other.
std::vector<std::size_t> declared_components(std::span<const Fingerprint> models);

}  // namespace stemma
