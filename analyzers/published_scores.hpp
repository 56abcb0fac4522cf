// How high do unrelated public models score, by what others published of them?
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace stemma {

/// Scores of intrinsic_fingerprint between unrelated public models, of which only quantiles are known.
struct PublishedScores {
  /// So many percent of the pairs score lower than `score`.
  struct Quantile {
    double percent = 0;
    double score = 0;
  };
  std::string_view population;  ///< whose scores these are, in words, with their number and source
  std::uint64_t pairs = 0;
  std::span<const Quantile>
      quantiles;  ///< both members ascending; the last one, at 100, is the largest score
};

/// The population for a depth_stratum: six-layer models of one recipe for "<8", 137 models of all depths for
/// everything deeper, of which no strata were published.
const PublishedScores& published_scores(std::string_view stratum);

}  // namespace stemma
