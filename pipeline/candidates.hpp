// Which pairs are worth reading their weights again?
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/comparison.hpp"
#include "pipeline/trace.hpp"

namespace stemma {

/// Which pairs a run traces, and how far.
struct TracePlan {
  enum class Which : std::uint8_t { candidates, declared, listed, all };
  Which which = Which::candidates;
  std::vector<std::pair<std::string, std::string>> listed;  ///< ids, for Which::listed
  std::uint64_t max_pairs = 1000;
  std::map<std::string, std::map<std::string, double>> tests;  ///< those that are made, with their options
};

/// What was chosen, best first.
struct ChosenPairs {
  std::vector<TracePair> pairs;
  std::uint64_t left_out = 0;  ///< beyond max_pairs
};

/// Candidates are pairs that one model declares, that share tensors (in the same or another order), or whose
/// curves agree as far as those of no known strangers; with at least one subject, and both models whole.
/// Copies and untrained models are left out: their verdict stands. Order: declared pairs, then by the share
/// of equal bytes, then by curve score, then by id. The base of a pair is the one that the other declares,
/// else the first by id.
ChosenPairs choose_pairs(std::span<const SurveyedModel> models, std::span<const Fingerprint> fingerprints,
                         const Comparison& comparison, const TracePlan& plan);

}  // namespace stemma
