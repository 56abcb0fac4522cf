// How are the MLPs of two layers matched neuron by neuron, and their matched weights compared?
#pragma once
#include <array>

#include "analyzers/pair_analyzer.hpp"

namespace stemma {

/// Weights of an MLP, as features name them.
inline constexpr std::array mlp_weights = {"gate", "up", "down"};

/// Parameters of a subject: width, change (StreamChange of the map, identity for none), those of add_mlps,
/// and where among the companions the map lies; absent where there is none.
Cost aligned_neurons_cost(const Subject& subject, std::span<const Input> inputs);

/// Features: counts kept, units, matched, agreeing, labelled, fixed and sorted, as NeuronLayer has them, and
/// assigned where both MLPs have at most thresholds::assigned_neurons; for
/// each of gate, up and down counts PART_spikes_of_base and PART_spikes_of_candidate and numbers PART_whole,
/// PART_spikes, PART_bulk, PART_shuffled_spikes and PART_shuffled_bulk, as SharedWeight has them. Status
/// nonfinite and none of them where a weight is not finite.
std::unique_ptr<Measurement> begin_aligned_neurons(const Subject& subject, std::span<const Input> inputs,
                                                   std::span<const std::vector<double>> companions);

}  // namespace stemma
