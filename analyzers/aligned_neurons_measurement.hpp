// How are the MLPs of two layers matched neuron by neuron, and their matched weights compared?
#pragma once
#include <array>

#include "analyzers/pair_analyzer.hpp"

namespace stemma {

/// Weights of an MLP, as features name them.
inline constexpr std::array mlp_weights = {"gate", "up", "down"};

/// Parameters of a subject: width, gated (0 or 1), centred, change (StreamChange of the map, identity for
/// none), and where among the companions lie base_pre, base_post, candidate_pre, candidate_post (with
/// ..._offset) and map; absent where there is none. Its matrices are gate, up and down of the base, then of
/// the candidate, without gates where there are none.
Cost aligned_neurons_cost(const Subject& subject, std::span<const Input> inputs);

/// Features: counts kept, units, matched, agreeing, labelled, fixed and sorted, as NeuronLayer has them; for
/// each of gate, up and down counts PART_spikes_of_base and PART_spikes_of_candidate and numbers PART_whole,
/// PART_spikes, PART_bulk, PART_shuffled_spikes and PART_shuffled_bulk, as SharedWeight has them. Status
/// nonfinite and none of them where a weight is not finite.
std::unique_ptr<Measurement> begin_aligned_neurons(const Subject& subject, std::span<const Input> inputs,
                                                   std::span<const std::vector<double>> companions);

}  // namespace stemma
