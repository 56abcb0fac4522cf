// Everything is asked of both sides in turn: `x` is the model that would be the later one, `y` the other.
#include "analyzers/block_map.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

namespace stemma {
namespace {

/// The sources as one of both models sees them.
class View {
 public:
  View(const MapSources& sources, int x) : sources_(sources), x_(x) {
    x_of_.resize(ys().size());
    y_of_.resize(xs().size());
    for (const auto& [a, b] : sources.matches) {
      const std::size_t i = x == 0 ? a : b, j = x == 0 ? b : a;
      x_of_[j].push_back(i);
      y_of_[i].push_back(j);
    }
    for (std::size_t i = 0; i < xs().size(); ++i)
      for (const std::size_t j : y_of_[i]) layers_[xs()[i].layer].insert(ys()[j].layer);
  }

  std::vector<OrderSign> signs() const {
    std::vector<OrderSign> out;
    const bool layers_grew = grown_layers(), experts_grew = grown_experts();
    if (layers_grew) out.push_back(OrderSign::grown_layers);
    if (experts_grew) out.push_back(OrderSign::grown_experts);
    if (lacks_layers()) out.push_back(OrderSign::lacks_layers);
    if (lacks_experts()) out.push_back(OrderSign::lacks_experts);
    if (lacks_neurons()) out.push_back(OrderSign::lacks_neurons);
    return out;
  }

 private:
  const std::vector<BlockPlace>& xs() const { return x_ == 0 ? sources_.a : sources_.b; }
  const std::vector<BlockPlace>& ys() const { return x_ == 0 ? sources_.b : sources_.a; }
  int y() const { return 1 - x_; }

  /// Whether block j of y has its like among those that stand beside it: experts of its layer, or layers.
  bool has_twin(std::size_t j) const {
    for (std::size_t k = 0; k < ys().size(); ++k) {
      const bool beside = (ys()[k].layer == ys()[j].layer) == (ys()[j].expert >= 0);
      if (k != j && beside && sources_.alike(y(), std::min(j, k), std::max(j, k))) return true;
    }
    return false;
  }

  /// Blocks of x that are block j of y and like each other, of one layer or of several.
  bool doubled(std::size_t j, bool within_a_layer) const {
    const std::vector<std::size_t>& group = x_of_[j];
    for (std::size_t n = 1; n < group.size(); ++n) {
      const bool one_layer = xs()[group[n]].layer == xs()[group[0]].layer;
      if (one_layer == within_a_layer && sources_.alike(x_, group[0], group[n])) return !has_twin(j);
    }
    return false;
  }

  /// Whether x has nothing that would have to come from elsewhere.
  bool nearly_all_layers_match() const { return nearly_all(layers_.size(), layers_in(xs()).size()); }

  bool grown_layers() const {
    if (!nearly_all_layers_match()) return false;
    for (std::size_t j = 0; j < ys().size(); ++j)
      if (doubled(j, false)) return true;
    return false;
  }

  bool grown_experts() const {
    if (!nearly_all_layers_match()) return false;
    std::set<int> matched, grown;
    for (std::size_t j = 0; j < ys().size(); ++j) {
      if (x_of_[j].empty()) continue;
      matched.insert(ys()[j].layer);
      // What was copied is no wider than what it was copied from.
      const bool wider =
          std::ranges::any_of(x_of_[j], [&](const std::size_t i) { return xs()[i].units > ys()[j].units; });
      if (!wider && !grown.contains(ys()[j].layer) && doubled(j, true)) grown.insert(ys()[j].layer);
    }
    return !grown.empty() && 2 * grown.size() >= matched.size();
  }

  static std::set<int> layers_in(const std::vector<BlockPlace>& blocks) {
    std::set<int> out;
    for (const BlockPlace& block : blocks) out.insert(block.layer);
    return out;
  }

  /// The layer of y that each layer of x is, where every layer has exactly one and none is taken twice.
  std::optional<std::map<int, int>> layers_one_by_one() const {
    std::map<int, int> out;
    std::set<int> taken;
    for (const int layer : layers_in(xs())) {
      const auto at = layers_.find(layer);
      if (at == layers_.end() || at->second.size() != 1) return std::nullopt;
      out[layer] = *at->second.begin();
      if (!taken.insert(out[layer]).second) return std::nullopt;
    }
    return out;
  }

  bool lacks_layers() const {
    const auto layers = layers_one_by_one();
    if (!layers || layers->empty() || layers->size() >= layers_in(ys()).size()) return false;
    int last = -1;
    std::set<int> taken;
    for (const auto& [of_x, of_y] : *layers) {
      if (of_y <= last) return false;
      last = of_y;
      taken.insert(of_y);
    }
    for (std::size_t j = 0; j < ys().size(); ++j) {
      if (taken.contains(ys()[j].layer)) continue;
      for (std::size_t k = 0; k < ys().size(); ++k)
        if (ys()[k].layer != ys()[j].layer && ys()[k].expert == ys()[j].expert &&
            sources_.alike(y(), std::min(j, k), std::max(j, k)))
          return false;
    }
    return true;
  }

  /// Blocks of x that are one block of y each, which is no other's; as pairs.
  std::vector<std::pair<std::size_t, std::size_t>> one_by_one() const {
    std::vector<std::pair<std::size_t, std::size_t>> out;
    for (std::size_t i = 0; i < xs().size(); ++i)
      if (y_of_[i].size() == 1 && x_of_[y_of_[i].front()].size() == 1) out.emplace_back(i, y_of_[i].front());
    return out;
  }

  static bool nearly_all(std::size_t some, std::size_t all) { return all > 0 && 10 * some >= 9 * all; }

  static std::map<int, std::size_t> experts_of(const std::vector<BlockPlace>& blocks) {
    std::map<int, std::size_t> out;
    for (const BlockPlace& block : blocks) out[block.layer] += block.expert >= 0;
    return out;
  }

  bool lacks_experts() const {
    const auto layers = layers_one_by_one();
    if (!layers || !nearly_all(one_by_one().size(), xs().size())) return false;
    auto of_x = experts_of(xs()), of_y = experts_of(ys());
    bool fewer = false;
    for (const auto& [in_x, in_y] : *layers) {
      if (of_x[in_x] < 2 || of_x[in_x] > of_y[in_y]) return false;
      fewer |= of_x[in_x] < of_y[in_y];
    }
    return fewer;
  }

  bool lacks_neurons() const {
    std::size_t matched = 0, fewer = 0;
    for (std::size_t i = 0; i < xs().size(); ++i) {
      if (y_of_[i].empty()) continue;
      ++matched;
      bool narrower = true;
      for (const std::size_t j : y_of_[i]) {
        const bool one_kind = (xs()[i].expert < 0) == (ys()[j].expert < 0);
        if (!one_kind || xs()[i].units > ys()[j].units) return false;
        narrower &= xs()[i].units < ys()[j].units;
        if (xs()[i].units < ys()[j].units && sources_.twins(y(), j)) return false;
      }
      fewer += narrower;
    }
    return nearly_all(matched, std::min(xs().size(), ys().size())) && fewer > 0 && 2 * fewer >= matched;
  }

  const MapSources& sources_;
  int x_;
  std::vector<std::vector<std::size_t>> x_of_, y_of_;
  std::map<int, std::set<int>> layers_;  ///< of y, by those of x
};

/// Those of `all` that are in no match.
std::vector<BlockPlace> without_match(const MapSources& sources, int side) {
  const std::vector<BlockPlace>& all = side == 0 ? sources.a : sources.b;
  std::vector<bool> matched(all.size());
  for (const auto& [a, b] : sources.matches) matched[side == 0 ? a : b] = true;
  std::vector<BlockPlace> out;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!matched[i]) out.push_back(all[i]);
  return out;
}

bool before(const BlockMatch& x, const BlockMatch& y) {
  const auto key = [](const BlockMatch& m) {
    return std::tuple(m.a.layer, m.a.expert, m.b.layer, m.b.expert);
  };
  return key(x) < key(y);
}

}  // namespace

int BlockMap::direction() const {
  if (signs.empty()) return 0;
  for (const SignOfOrder& sign : signs)
    if (sign.b_is_later != signs.front().b_is_later) return 0;
  return signs.front().b_is_later ? 1 : -1;
}

void BlockMap::turn() {
  for (BlockMatch& match : matches) std::swap(match.a, match.b);
  std::ranges::sort(matches, before);
  std::swap(only_a, only_b);
  for (SignOfOrder& sign : signs) sign.b_is_later = !sign.b_is_later;
  std::ranges::stable_sort(signs, {}, &SignOfOrder::b_is_later);
}

BlockMap map_of(const MapSources& sources) {
  BlockMap out;
  if (sources.matches.empty()) return out;
  for (const auto& [a, b] : sources.matches) out.matches.push_back({sources.a[a], sources.b[b]});
  std::ranges::sort(out.matches, before);
  out.only_a = without_match(sources, 0);
  out.only_b = without_match(sources, 1);
  for (const int later : {0, 1})
    for (const OrderSign sign : View(sources, later).signs()) out.signs.push_back({sign, later == 1});
  return out;
}

}  // namespace stemma
