// Which blocks of one model are which of another, and does that show who came first?
#pragma once
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace stemma {

/// An MLP as its model numbers it.
struct BlockPlace {
  int layer = 0;
  int expert = -1;          ///< -1: the only MLP of its layer
  std::uint32_t units = 0;  ///< neurons that it has

  bool operator==(const BlockPlace&) const = default;
};

/// Two blocks whose neurons agree beyond chance.
struct BlockMatch {
  BlockPlace a, b;

  bool operator==(const BlockMatch&) const = default;
};

/// A loss or a growth that matched neurons show, and that only one order of two models explains. The numeric
/// values travel between ranks.
enum class OrderSign : std::uint8_t {
  lacks_layers,   ///< its layers are some of the other's, in their order
  lacks_experts,  ///< its experts are some of the other's, in every layer
  lacks_neurons,  ///< its MLPs have fewer neurons than those of which they are
  grown_layers,   ///< several of its layers, which are alike, are one of the other
  grown_experts,  ///< several of its experts, which are alike, are one MLP of the other
};

/// A sign with the side that it calls the later one.
struct SignOfOrder {
  OrderSign sign = OrderSign::lacks_layers;
  bool b_is_later = true;

  bool operator==(const SignOfOrder&) const = default;
};

/// What is known of the blocks of two models. Empty where nothing agrees.
struct BlockMap {
  std::vector<BlockMatch> matches;         ///< ascending by a, then b; a block may be in several
  std::vector<BlockPlace> only_a, only_b;  ///< those that match nothing
  std::vector<SignOfOrder> signs;

  /// 1: b comes from a, -1: a from b, 0: nothing shows it, or signs contradict each other.
  int direction() const;
  /// The same seen from the other side.
  void turn();
};

/// What a map is drawn from.
struct MapSources {
  std::vector<BlockPlace> a, b;                              ///< all blocks, ascending
  std::vector<std::pair<std::size_t, std::size_t>> matches;  ///< by place in both lists
  /// Whether blocks i and j of one model agree beyond chance. `side` 0 asks a, 1 asks b.
  std::function<bool(int side, std::size_t i, std::size_t j)> alike;
  /// Whether some of the neurons of a block stand in it twice.
  std::function<bool(int side, std::size_t block)> twins;
};

/// The map and its signs:
/// - A model of which nine tenths of the layers match, with several blocks that are like each other and are
///   one block of the other model, where none is like that one: it was grown by layers or, where in half of
///   the layers experts no wider than that block are such, by experts.
/// - A model with fewer layers, each of which is another layer of the other, in their order, while the
///   layers that the other has besides are like none of its own: it lacks layers. Experts likewise where both
///   models have several in every layer that matches, and nine tenths of those of the smaller one match.
/// - A model with MLPs that have fewer neurons than those they match, half of them at least and none with
///   more, no two neurons of the wider ones alike, and nine tenths of the smaller model's number match: it
///   lacks neurons.
/// Sizes of vocabularies are no sign: they are extended as easily as trimmed.
BlockMap map_of(const MapSources& sources);

}  // namespace stemma
