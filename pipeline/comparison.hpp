// What do the fingerprints of a corpus say about every pair?
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "analyzers/background.hpp"
#include "analyzers/verdict.hpp"

namespace stemma {

/// Which pairs, which tests with which options, and whose scores are the background.
struct ComparisonPlan {
  enum class Which : std::uint8_t { all, declared, reference, listed };
  Which which = Which::all;
  std::vector<std::pair<std::string, std::string>> listed;  ///< ids, for Which::listed
  std::map<std::string, std::map<std::string, std::string>> tests;
  std::string background = "corpus";  ///< "corpus", "none", or the path of a table
};

/// The chosen pairs, judged, with the verdict on every model.
struct Comparison {
  std::vector<Pair> pairs;  ///< sorted by (a, b), models by index
  std::vector<ModelVerdict> verdicts;
  Background background;
};

/// Compares fingerprints sorted by id: every chosen pair gets a row, also when no test applies to it. No weight is read.
/// Throws ConfigProblems for a background table or a list that cannot be used.
Comparison compare(const std::vector<Fingerprint>& models, const ComparisonPlan& plan);

/// A TSV with columns stratum (8-15, 16-23, 24-35, 36+, <8) and score. Throws ConfigProblems.
Background read_background_table(const std::string& path);

/// A TSV with columns a and b. Throws ConfigProblems.
std::vector<std::pair<std::string, std::string>> read_pair_list(const std::string& path);

}  // namespace stemma
