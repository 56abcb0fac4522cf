// How do the neurons of one MLP answer anchor tokens, and which of them are kept?
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "analyzers/analyzer.hpp"

namespace stemma {

/// Neurons kept of one MLP; of experts as many as keep a layer below `most_in_experts`, but not fewer than
/// `fewest_of_expert`.
inline constexpr std::size_t most_neurons = 128, most_in_experts = 1024, fewest_of_expert = 16;

/// The measurement of one MLP. Inputs: gate (where there is one), up, down. Companions: gains of the norm in
/// front (parameter pre = 1), of the norm behind (post = 1) and of the last norm (final = 1), then rows of
/// the embedding and, without a gate, of the head, one for each anchor.
///
/// With E the anchors' rows of the embedding, each of length 1 (under LayerNorm without its mean), and folded
/// weights, neuron i answers E W_g^T and E W_u^T; without a gate E W_u^T and U W_d, U the rows of the folded
/// head. No exact change of parameters moves these numbers, but for a positive scale of each column, for the
/// sign of up under a gate, and for the order of neurons. Features:
///   units, gated, anchors   neurons of the MLP; 1 with a gate; columns
///   order                   largest |Spearman correlation| of norms of neurons with their places
///   unit                    places of the kept neurons, by |g| |u| |d| (|u| |d|) descending
///   norm_first, norm_product
///   first, second           answers as bytes, eight to a number, the first the lowest
std::unique_ptr<Measurement> neuron_readings(const Subject& subject, std::span<const Input> inputs,
                                             std::span<const std::vector<double>> companions);

Cost neuron_readings_cost(const Subject& subject, std::span<const Input> inputs);

}  // namespace stemma
