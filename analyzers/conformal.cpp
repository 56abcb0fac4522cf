// Counts, and what they are worth. Nothing is extrapolated: p never falls below 1 / (1 + n).
#include "analyzers/conformal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analyzers/json_text.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

double ConformalRank::p() const {
  return (1 + static_cast<double>(reached)) / (1 + static_cast<double>(references));
}

double ConformalRank::smallest_p() const { return 1 / (1 + static_cast<double>(references)); }

ConformalRank conformal_rank(double score, std::span<const double> of_references) {
  ConformalRank rank;
  for (const double other : of_references) {
    if (std::isnan(other)) continue;
    ++rank.references;
    rank.reached += other >= score;
  }
  return rank;
}

Evidence conformal_row(const Evidence& headline, const ConformalRank& rank, const std::string& candidate) {
  Evidence row;
  row.method = headline.method;
  row.statistic = headline.statistic + " beside independent models";
  row.null = "exchangeable with models stated to be independent";
  row.role = conformal_role;
  row.score = headline.score;
  row.background = fmt::format("{} models stated to be independent", rank.references);
  row.background_n = rank.references;
  row.background_percentile =
      100 * static_cast<double>(rank.references - rank.reached) / static_cast<double>(rank.references);
  row.log10_p = std::log10(rank.p());
  row.grade = Grade::C;
  const bool few = rank.references < thresholds::fewest_references;
  row.detail_json =
      JsonObject()
          .add("label", fmt::format("p {:.4g} of {}, smallest possible {:.4g}{}", rank.p(), rank.references,
                                    rank.smallest_p(), few ? " (too few for 0.05)" : ""))
          .add("candidate", candidate)
          .add("references", rank.references)
          .add("reached", rank.reached)
          .add("smallest_p", rank.smallest_p())
          .add("few_references", few)
          .text();
  return row;
}

}  // namespace stemma
