// How unusual is a score beside those of models that are known to be independent?
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "io/archive/evidence.hpp"

namespace stemma {

/// The score of a pair (A, B) among the scores of reference models R with the same B.
struct ConformalRank {
  std::uint64_t references = 0;  ///< those that have a score: n
  std::uint64_t reached = 0;     ///< those whose score is not lower: k

  /// p = (1 + k) / (1 + n): valid where A is exchangeable with the references given B, and each of them is
  /// independent of B (Vovk, Gammerman, Shafer: Algorithmic Learning in a Random World). 1 without
  /// references.
  double p() const;
  /// 1 / (1 + n): what no score can fall below.
  double smallest_p() const;
};

/// Scores of references that are NaN do not count; `score` is a number, large where models are alike.
ConformalRank conformal_rank(double score, std::span<const double> of_references);

/// The role of rows that hold a conformal p-value.
inline constexpr std::string_view conformal_role = "conformal";

/// The row of evidence, grade C. `candidate` is the id of B; the other model of the pair is the one that
/// references stand for.
Evidence conformal_row(const Evidence& headline, const ConformalRank& rank, const std::string& candidate);

}  // namespace stemma
