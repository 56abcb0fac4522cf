// What is kept of a model's neurons, so that two models can be compared without their weights?
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace stemma {

/// A reading that does not exist: the row of the embedding that it needs is empty.
inline constexpr std::int8_t no_reading = -128;

/// Some neurons of one MLP: those with the largest products of norms, in descending order.
/// A neuron is seen through its answers to anchor tokens, of two kinds. With a gate: of the gate and of up,
/// whose sign means nothing; without: of up and of down. One row per neuron, one column per anchor, in units
/// of the row's largest number over 127, not centred.
struct NeuronBlock {
  int layer = 0;
  int expert = -1;
  std::uint32_t units = 0;  ///< neurons that the MLP has
  bool gated = true;
  /// Largest |Spearman correlation| of the neurons' norms with their places: near 1, somebody sorted them.
  double order = 0;
  std::vector<std::uint32_t> unit;         ///< place of the neuron in its MLP
  std::vector<double> norm_first;          ///< |g|; |u| without a gate
  std::vector<double> norm_product;        ///< |u| |d|
  std::vector<std::int8_t> first, second;  ///< row-major, unit.size() x anchors

  std::size_t size() const { return unit.size(); }
  bool operator==(const NeuronBlock&) const = default;
};

/// How the attention of one layer weighs anchors against each other, summed over heads, without the means of
/// rows and columns, in units of the largest number over 127: square, row by query.
struct AttentionBlock {
  int layer = 0;
  std::vector<std::int8_t> reading;

  bool operator==(const AttentionBlock&) const = default;
};

/// The neurons of one model. Keys of anchors as in AnchorTokens.
struct NeuronSketch {
  std::vector<std::uint64_t> keys;
  std::uint32_t by_string = 0;            ///< the first so many anchors were chosen by their bytes
  std::uint64_t vocabulary = 0;           ///< rows of the embedding
  std::vector<NeuronBlock> blocks;        ///< ascending by layer and expert
  std::vector<AttentionBlock> attention;  ///< ascending by layer, over attention_anchors

  /// nullptr where the layer has none.
  const AttentionBlock* attention_of(int layer) const {
    const auto at = std::ranges::lower_bound(attention, layer, {}, &AttentionBlock::layer);
    return at == attention.end() || at->layer != layer ? nullptr : &*at;
  }

  bool operator==(const NeuronSketch&) const = default;
};

}  // namespace stemma
