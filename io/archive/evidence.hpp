// What did a pair test find, and what class do the rules of evidence give to a pair?
#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace stemma {

inline constexpr double missing = std::numeric_limits<double>::quiet_NaN();

/// How a p-value was obtained: exact (G), calibrated null (C), mutual matching (M), none is valid (N),
/// extrapolated (X).
enum class Grade : std::uint8_t { G, C, M, N, X };
std::string_view name_of(Grade grade);

/// One row of /evidence. Missing numbers are NaN and shown as missing.
struct Evidence {
  std::string method;
  std::string statistic;  ///< "mean Pearson r of four curves", "equal tensors", ...
  std::string null;       ///< the null hypothesis in words; "none valid" where there is none
  double score = missing;
  double background_percentile = missing;
  std::uint64_t background_n = 0;
  std::string background;  ///< name of the population
  double control = missing;
  double log10_p = missing;
  Grade grade = Grade::N;
  std::string role;     ///< "" for the whole model
  std::string abstain;  ///< "" or the reason, e.g. "too_few_layers"
  std::string detail_json = "{}";
};

/// Classes of the rules of evidence. The numeric values are written to archives: append only.
enum class Relation : std::uint8_t {
  exact_copy,
  reencoded_copy,
  reparametrised_copy,
  low_rank_related,
  same_lineage,
  partial_lineage,
  shared_init,
  no_evidence,
  abstain,
};
std::string_view name_of(Relation relation);  ///< "EXACT_COPY", ...

/// One row of /pairs, models by index into the archive's models (a < b by id).
struct Pair {
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  Relation relation = Relation::abstain;
  std::string reason;    ///< why ABSTAIN
  std::string sentence;  ///< the printed sentence of the class
  double log10_p = missing;
  double log10_p_corrected = missing;
  std::uint64_t tests = 0;  ///< pair tests that were made
  int direction = 0;
  double curve_score =
      missing;  ///< headline of intrinsic_fingerprint: it ranks candidates and decides nothing
  std::vector<Evidence> evidence;
};

}  // namespace stemma
