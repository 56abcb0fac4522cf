// Which block of another model does each block of a model agree with best?
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "analyzers/block_scores.hpp"

namespace stemma {

/// What a search found for one block.
struct Partner {
  std::size_t block = 0;     ///< of the other model
  std::size_t agreeing = 0;  ///< of the largest neurons; 0: none was found, and `block` means nothing
  double likeness = -2;      ///< of those: of two blocks that agree equally well the liker one is the partner
  std::size_t held = 0;      ///< blocks that this one was held against
};

/// Searches partners for blocks of `a` among those of `b`, by the largest neurons of both, or, where one
/// model has experts and the other none, by those of the one and all kept neurons of the other. Up to
/// thresholds::searched_pairs pairs of blocks are all held against each other. Beyond, one expert of each
/// layer is held against everything, and in layers where it has no partner up to thresholds::searched_experts
/// are, unless nobody has one. The rest of a layer is held against that partner's layer alone, and where none
/// was found against the one whose attention reads most alike. So the work grows with the layers times all
/// blocks, and with the pairs of blocks of single layers.
class PartnerSearch {
 public:
  /// All three must outlive it; `shared` names anchors of `a` and of `b`.
  PartnerSearch(const NeuronSketch& a, const NeuronSketch& b, const SharedAnchors& shared);

  /// For each of `blocks` of a, ascending, its partner.
  std::vector<Partner> partners(std::span<const std::size_t> blocks) const;

  /// Blocks of b that any block of a can be partner of: whoever chooses, chooses among so many.
  std::size_t candidates() const { return candidates_; }

 private:
  /// Blocks of one layer and kind, their neurons one below the other.
  struct Layer {
    int number = 0;
    bool gated = true;
    std::vector<std::size_t> blocks, begin;  ///< first row of each block, and the end
    NeuronAnswers answers;
  };

  static std::vector<Layer> layers_of(const NeuronSketch& sketch, std::span<const std::size_t> blocks,
                                      std::span<const std::uint32_t> columns, std::size_t most);
  /// Every block of x against every block of y; what is better than `found`, by block of a, replaces it.
  static void hold(const Layer& x, const Layer& y, std::vector<Partner>& found);
  void hold_all(const Layer& x, std::vector<Partner>& found) const;
  /// Where among b_layers_ the partner of one block stands, if it has one.
  std::optional<std::size_t> layer_of_partner(std::size_t block, std::vector<Partner>& found) const;
  /// The same for layers, by some of their experts, then by their attention.
  std::vector<std::optional<std::size_t>> layers_of_partners(const std::vector<Layer>& layers,
                                                             std::vector<Partner>& found) const;
  std::optional<std::size_t> layer_by_attention(int layer) const;

  const NeuronSketch& a_;
  const NeuronSketch& b_;
  const SharedAnchors& shared_;
  std::vector<Layer> b_layers_;
  std::size_t candidates_ = 0;
};

}  // namespace stemma
