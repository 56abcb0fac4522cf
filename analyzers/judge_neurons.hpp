// What class do matched neurons give to a pair?
#pragma once
#include <string>

#include "analyzers/lineage_rule.hpp"
#include "analyzers/neuron_agreement.hpp"
#include "io/archive/evidence.hpp"

namespace stemma {

/// An agreement of neurons beside all others of the corpus: natural logarithms of the levels at which its
/// p-values are found among all tests (Benjamini and Yekutieli).
struct NeuronStanding {
  const NeuronAgreement* found = nullptr;
  double log_level_places = 0, log_level_robust = 0;
  std::uint64_t tests = 0;  ///< that were corrected for
  std::string a, b;         ///< names of the models
  LineageRule rule = {};
};

/// Fills log10_p and log10_p_corrected of `pair` and, where the test says anything, its class, with the map
/// of blocks, and for SAME_LINEAGE and PARTIAL_LINEAGE the direction that the map shows: SAME_LINEAGE when
/// either p-value is found at the level of the rule and its share (half) of the smaller model's blocks that
/// were compared agree, PARTIAL_LINEAGE when fewer do, both only where attention agrees as between a model
/// and its descendants; SHARED_INIT where attention agrees as between models that only started alike;
/// ABSTAIN(shared_init_undecided) between both and where attention is unknown; NO_EVIDENCE when nothing is
/// found and the test would have seen something. False where the test was not made or has no power: the pair
/// keeps its class then.
bool judge_neurons(const NeuronStanding& standing, Pair& pair);

/// Whether matched neurons gave the pair a class that readings of single weights do not take back.
bool decided_by_neurons(const Pair& pair);

}  // namespace stemma
