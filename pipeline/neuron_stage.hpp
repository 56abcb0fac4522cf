// How do all ranks together compare the neurons of many models?
#pragma once
#include <span>
#include <vector>

#include "analyzers/distributed/communicator.hpp"
#include "analyzers/neuron_agreement.hpp"
#include "io/archive/fingerprint.hpp"
#include "pipeline/comparison.hpp"

namespace stemma {

/// Sketches that travel together, in bytes: every rank holds two such blocks.
inline constexpr std::size_t sketch_block_bytes = std::size_t{64} << 20;

/// Collective. Agreements of the neurons of `pairs`, in their order, on rank 0; elsewhere nothing. `models`,
/// `pairs` and `most_bytes` are rank 0's. Models go around in blocks, every rank compares its share of the
/// pairs of two blocks, and the result does not depend on how many ranks there are. Of more than
/// most_detailed_pairs only sums are kept. `share` (rank 0's) as in compare_neurons. `compared`, where
/// somebody on rank 0 wants to know, counts pairs, as if all ranks were as far as the first. Throws together.
std::vector<NeuronAgreement> compare_neurons_together(const Communicator& ranks,
                                                      std::span<const Fingerprint> models,
                                                      const ModelPairs& pairs, double share,
                                                      DoneCount* compared = nullptr,
                                                      std::size_t most_bytes = sketch_block_bytes);

}  // namespace stemma
