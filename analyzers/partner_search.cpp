// Layers are multiplied as wholes: one product gives the scores of all pairs of their blocks.
#include "analyzers/partner_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "analyzers/numerics/combined_tests.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {
namespace {

constexpr std::size_t all_rows = std::numeric_limits<std::size_t>::max();

bool has_experts(const NeuronSketch& sketch) {
  return std::ranges::any_of(sketch.blocks, [](const NeuronBlock& block) { return block.expert >= 0; });
}

}  // namespace

PartnerSearch::PartnerSearch(const NeuronSketch& a, const NeuronSketch& b, const SharedAnchors& shared)
    : a_(a), b_(b), shared_(shared) {
  std::vector<std::size_t> blocks(b.blocks.size());
  std::iota(blocks.begin(), blocks.end(), std::size_t{0});
  // Neurons that are large in one MLP are so in its descendants; an expert may hold any part of an MLP.
  b_layers_ = layers_of(b, blocks, shared.of_b,
                        has_experts(a) == has_experts(b) ? thresholds::searched_neurons : all_rows);
  for (const bool gated : {false, true})
    if (std::ranges::find(a.blocks, gated, &NeuronBlock::gated) != a.blocks.end())
      candidates_ = std::max(
          candidates_, static_cast<std::size_t>(std::ranges::count(b.blocks, gated, &NeuronBlock::gated)));
}

std::vector<PartnerSearch::Layer> PartnerSearch::layers_of(const NeuronSketch& sketch,
                                                           std::span<const std::size_t> blocks,
                                                           std::span<const std::uint32_t> columns,
                                                           std::size_t most) {
  std::vector<Layer> out;
  for (const std::size_t index : blocks) {
    const NeuronBlock& block = sketch.blocks[index];
    if (out.empty() || out.back().number != block.layer || out.back().gated != block.gated) {
      out.push_back({.number = block.layer, .gated = block.gated, .blocks = {}, .begin = {0}, .answers = {}});
    }
    Layer& layer = out.back();
    const NeuronAnswers answers = answers_of(block, sketch.keys.size(), columns, most);
    layer.answers.first.append(answers.first);
    layer.answers.second.append(answers.second);
    layer.blocks.push_back(index);
    layer.begin.push_back(layer.answers.rows());
  }
  return out;
}

void PartnerSearch::hold(const Layer& x, const Layer& y, std::vector<Partner>& found) {
  if (x.gated != y.gated) return;
  const BlockScores scores(x.answers, y.answers, x.gated);
  const auto part = [](const ScoreView& all, const Layer& of_rows, std::size_t i, const Layer& of_columns,
                       std::size_t j) {
    return ScoreView{all.values.subspan(of_rows.begin[i] * all.stride + of_columns.begin[j]),
                     of_rows.begin[i + 1] - of_rows.begin[i], of_columns.begin[j + 1] - of_columns.begin[j],
                     all.stride};
  };
  for (std::size_t i = 0; i < x.blocks.size(); ++i) {
    Partner& best = found[x.blocks[i]];
    for (std::size_t j = 0; j < y.blocks.size(); ++j) {
      ++best.held;
      if (x.begin[i] == x.begin[i + 1] || y.begin[j] == y.begin[j + 1]) continue;
      const TwoMatchings pair(part(scores.first(), x, i, y, j), part(scores.second(), x, i, y, j));
      const std::size_t agreeing = pair.agreement().same;
      if (agreeing == 0 || agreeing < best.agreeing) continue;
      const double likeness = pair.likeness();
      if (agreeing == best.agreeing && likeness <= best.likeness) continue;
      best.block = y.blocks[j], best.agreeing = agreeing, best.likeness = likeness;
    }
  }
}

void PartnerSearch::hold_all(const Layer& x, std::vector<Partner>& found) const {
  for (const Layer& y : b_layers_) hold(x, y, found);
}

std::optional<std::size_t> PartnerSearch::layer_of_partner(std::size_t block,
                                                           std::vector<Partner>& found) const {
  hold_all(layers_of(a_, std::span(&block, 1), shared_.of_a, thresholds::searched_neurons).front(), found);
  const Partner& best = found[block];
  // More neurons agree than among as many strangers by chance.
  if (log_best_of(log_sum_bound(best.agreeing, 1), std::max<std::size_t>(candidates_, 1)) >= 0)
    return std::nullopt;
  const auto at = std::ranges::find_if(b_layers_, [&](const Layer& layer) {
    return std::ranges::find(layer.blocks, best.block) != layer.blocks.end();
  });
  return static_cast<std::size_t>(at - b_layers_.begin());
}

std::vector<std::optional<std::size_t>> PartnerSearch::layers_of_partners(const std::vector<Layer>& layers,
                                                                          std::vector<Partner>& found) const {
  std::vector<std::optional<std::size_t>> out(layers.size());
  const auto known = [](const auto& y) { return y.has_value(); };
  for (std::size_t turn = 0; turn < thresholds::searched_experts; ++turn) {
    for (std::size_t x = 0; x < layers.size(); ++x) {
      const std::vector<std::size_t>& blocks = layers[x].blocks;
      const std::size_t asked = std::min(thresholds::searched_experts, blocks.size());
      if (!out[x] && turn < asked) out[x] = layer_of_partner(blocks[turn * blocks.size() / asked], found);
    }
    if (std::ranges::none_of(out, known)) return out;  // strangers: one of every layer found nobody
  }
  for (std::size_t x = 0; x < layers.size(); ++x)
    if (!out[x]) out[x] = layer_by_attention(layers[x].number);
  return out;
}

std::optional<std::size_t> PartnerSearch::layer_by_attention(int layer) const {
  const AttentionBlock* const of_a = a_.attention_of(layer);
  std::optional<std::size_t> best;
  double most = 0;
  for (std::size_t y = 0; of_a != nullptr && y < b_layers_.size(); ++y) {
    const AttentionBlock* const of_b = b_.attention_of(b_layers_[y].number);
    if (of_b == nullptr) continue;
    const double alike = attention_correlation(a_, *of_a, b_, *of_b, shared_);
    if (alike > most) most = alike, best = y;
  }
  return best;
}

std::vector<Partner> PartnerSearch::partners(std::span<const std::size_t> blocks) const {
  std::vector<Partner> found(a_.blocks.size());
  const std::vector<Layer> layers = layers_of(a_, blocks, shared_.of_a, thresholds::searched_neurons);
  if (blocks.size() * b_.blocks.size() <= thresholds::searched_pairs) {
    for (const Layer& x : layers) hold_all(x, found);
  } else {
    const auto mapped = layers_of_partners(layers, found);
    for (std::size_t x = 0; x < layers.size(); ++x)
      if (mapped[x]) hold(layers[x], b_layers_[*mapped[x]], found);
  }
  std::vector<Partner> out;
  for (const std::size_t block : blocks) out.push_back(found[block]);
  return out;
}

}  // namespace stemma
