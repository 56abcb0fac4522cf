// Do two sketches agree where their models share neurons, wherever these stand, and nowhere else?
#include "analyzers/neuron_agreement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "analyzers/numerics/combined_tests.hpp"
#include "analyzers/thresholds.hpp"
#include "neuron_toy.hpp"

namespace stemma {
namespace {

using neuron_toy::Random;
using neuron_toy::sketch_of;
using neuron_toy::Toy;
using neuron_toy::toy;
using neuron_toy::with_layers;
using neuron_toy::with_noise;
using neuron_toy::with_other_neurons;
using testing::ElementsAre;

std::vector<std::pair<std::uint32_t, std::uint32_t>> partners(const NeuronAgreement& found) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> out;
  for (const BlockAgreement& block : found.blocks) out.emplace_back(block.a, block.b);
  return out;
}

/// Everything that is said, from both sides; fails where they differ.
NeuronAgreement compared(const NeuronSketch& a, const NeuronSketch& b) {
  const NeuronAgreement found = compare_neurons(a, b), turned = compare_neurons(b, a);
  const auto same = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
  EXPECT_EQ(found.abstain, turned.abstain);
  EXPECT_EQ(found.anchors, turned.anchors);
  EXPECT_EQ(found.mapped, turned.mapped);
  EXPECT_EQ(found.telling, turned.telling);
  EXPECT_EQ(found.sorted, turned.sorted);
  EXPECT_EQ(std::pair(found.blocks_a, found.blocks_b), std::pair(turned.blocks_b, turned.blocks_a));
  EXPECT_EQ(std::tuple(found.fixed, found.labelled, found.agreeing_blocks, found.partners),
            std::tuple(turned.fixed, turned.labelled, turned.agreeing_blocks, turned.partners));
  EXPECT_EQ(found.compared_blocks, turned.compared_blocks);
  for (const auto& [x, y] : {std::pair(found.share, turned.share),
                             {found.control, turned.control},
                             {found.attention, turned.attention},
                             {found.likeness, turned.likeness},
                             {found.log_p_places, turned.log_p_places},
                             {found.log_p_robust, turned.log_p_robust},
                             {found.log_p_nominal, turned.log_p_nominal}})
    EXPECT_TRUE(same(x, y)) << x << " and " << y;
  auto back = partners(turned);
  for (auto& [x, y] : back) std::swap(x, y);
  EXPECT_EQ(partners(found), back);
  BlockMap map = turned.map;
  map.turn();
  EXPECT_EQ(map.matches, found.map.matches);
  EXPECT_EQ(map.only_a, found.map.only_a);
  EXPECT_EQ(map.only_b, found.map.only_b);
  EXPECT_EQ(map.signs, found.map.signs);
  return found;
}

TEST(NeuronAgreement, OfACopyWithNoise) {
  const Toy base = toy(1, 4, 64, 100);
  NeuronSketch a = sketch_of(base), b = sketch_of(with_noise(base, 0.2, 2));
  neuron_toy::add_attention(a, 4, 5, 6, 0.1);
  neuron_toy::add_attention(b, 4, 5, 7, 0.1);
  const NeuronAgreement found = compared(a, b);
  EXPECT_FALSE(found.mapped);
  EXPECT_TRUE(found.telling);
  EXPECT_EQ(found.share, 1);
  EXPECT_EQ(found.fixed, 4U * 64);
  EXPECT_EQ(found.labelled, 4U * 64);
  EXPECT_EQ(found.agreeing_blocks, 4U);
  EXPECT_LT(found.control, 0.05);
  EXPECT_NEAR(found.likeness, 1 / std::sqrt(1 + 0.2 * 0.2), 0.005);
  EXPECT_NEAR(found.attention, 1 / 1.01, 0.005);
  // 256 of a mean of 4 x 64 / 100, which the choice between two ways of asking doubles.
  const double mean = 2.56;
  EXPECT_NEAR(found.log_p_places, 256 * std::log(mean) - std::lgamma(257) + std::log(2), 1e-6);
  EXPECT_NEAR(found.log_p_robust, log_best_of(log_sum_bound(256 - 4 * 7, 4), 2), 1e-9);
  EXPECT_LT(found.log_p_nominal, found.log_p_robust);
}

TEST(NeuronAgreement, TheShareThatIsAskedOnlyCountsBlocks) {
  Toy other = toy(1, 4, 64, 100);
  const NeuronSketch a = sketch_of(other);
  // Of block i the last 16 i neurons are those of a stranger.
  const Toy stranger = toy(9, 4, 64, 100);
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t n = 64 - 16 * i; n < 64; ++n) {
      other.blocks[i].first[n] = stranger.blocks[i].first[n];
      other.blocks[i].second[n] = stranger.blocks[i].second[n];
    }
  const NeuronSketch b = sketch_of(other);
  const NeuronAgreement usual = compare_neurons(a, b);
  EXPECT_EQ(usual.agreeing_blocks, 4U);
  for (const BlockAgreement& block : usual.blocks) {
    // At exactly the share of a block it agrees, and those with more.
    const auto as_many = std::ranges::count_if(
        usual.blocks, [&](const BlockAgreement& one) { return one.agreeing >= block.agreeing; });
    const NeuronAgreement found = compare_neurons(a, b, block.share());
    EXPECT_EQ(found.agreeing_blocks, static_cast<std::size_t>(as_many));
    EXPECT_EQ(found.log_p_robust, usual.log_p_robust);
    EXPECT_EQ(partners(found), partners(usual));
    EXPECT_NEAR(block.share(), 1 - 0.25 * block.a, 0.06) << "chance adds few";
  }
  EXPECT_EQ(compare_neurons(b, a, 1).agreeing_blocks, 1U);
  EXPECT_EQ(compare_neurons(a, b, 0).agreeing_blocks, 4U);
}

TEST(NeuronAgreement, PlacesAndSignsAreOnlyForThePlaces) {
  const Toy base = toy(1, 4, 64, 400), other = with_noise(base, 0.3, 2);
  const NeuronAgreement stayed = compared(sketch_of(base), sketch_of(other)),
                        moved = compared(sketch_of(base), sketch_of(with_other_neurons(other, 3)));
  EXPECT_EQ(stayed.fixed, 256U);
  EXPECT_LE(moved.fixed, 8U);
  EXPECT_EQ(moved.share, stayed.share);
  EXPECT_EQ(moved.log_p_robust, stayed.log_p_robust);
  EXPECT_GT(moved.log_p_places, -12);
  EXPECT_LT(stayed.log_p_places, -1000);
  EXPECT_EQ(moved.compared_blocks, 4U);
}

TEST(NeuronAgreement, WithoutAGateSignsMeanSomething) {
  const Toy base = toy(1, 3, 64, 400), moved = with_other_neurons(base, 3);
  EXPECT_EQ(compared(sketch_of(base, false), sketch_of(base, false)).share, 1);
  const double half = compared(sketch_of(base, false), sketch_of(moved, false)).share;
  EXPECT_GT(half, 0.3);
  EXPECT_LT(half, 0.7) << "half of them have another sign";
}

TEST(NeuronAgreement, PlacesOfSortedNeuronsSayNothing) {
  const Toy base = toy(1, 3, 64, 64);
  NeuronSketch a = sketch_of(base), b = sketch_of(with_noise(base, 0.1, 2));
  for (NeuronBlock& block : b.blocks) block.order = thresholds::sorted_neurons;
  EXPECT_EQ(compared(a, b).fixed, 192U) << "at the limit they still do";
  for (NeuronBlock& block : b.blocks) block.order = thresholds::sorted_neurons + 0.01;
  const NeuronAgreement found = compared(a, b);
  EXPECT_TRUE(found.sorted);
  EXPECT_EQ(found.fixed, 0U);
  EXPECT_EQ(found.log_p_places, 0);
  EXPECT_LT(found.log_p_robust, -300);
  b.blocks[0].order = 0;
  const NeuronAgreement one = compared(a, b);
  EXPECT_FALSE(one.sorted);
  EXPECT_EQ(one.fixed, 64U);
}

TEST(NeuronAgreement, FindsWhichLayersWereKept) {
  const Toy base = toy(1, 6, 64, 300);
  const Toy pruned = with_other_neurons(with_noise(with_layers(base, {0, 1, 3, 5}), 0.2, 2), 3);
  NeuronSketch a = sketch_of(base), b = sketch_of(pruned);
  const NeuronAgreement found = compared(a, b);
  EXPECT_TRUE(found.mapped);
  EXPECT_THAT(partners(found), ElementsAre(testing::Pair(0, 0), testing::Pair(1, 1), testing::Pair(3, 2),
                                           testing::Pair(5, 3)));
  EXPECT_EQ(found.agreeing_blocks, 4U);
  EXPECT_EQ(found.share, 1);
  EXPECT_LT(found.control, 0.05);
  EXPECT_LT(found.log_p_robust, -300);
  // Attention is asked of the layers that were found to be partners.
  neuron_toy::add_attention(a, 6, 5, 6, 0);
  for (const int layer : {0, 1, 3, 5})
    b.attention.push_back(
        {static_cast<int>(b.attention.size()), a.attention[static_cast<std::size_t>(layer)].reading});
  EXPECT_NEAR(compared(a, b).attention, 1, 1e-9);
}

TEST(NeuronAgreement, FindsLayersInAnotherOrderAndTwice) {
  const Toy base = toy(1, 5, 64, 300);
  const NeuronAgreement reordered =
      compared(sketch_of(base), sketch_of(with_layers(with_noise(base, 0.2, 2), {4, 2, 0, 1, 3})));
  EXPECT_TRUE(reordered.mapped);
  EXPECT_EQ(reordered.agreeing_blocks, 5U);
  EXPECT_EQ(reordered.share, 1);
  const NeuronAgreement doubled =
      compared(sketch_of(base), sketch_of(with_noise(with_layers(base, {0, 1, 2, 1, 2, 3, 4}), 0.2, 2)));
  EXPECT_THAT(partners(doubled),
              ElementsAre(testing::Pair(0, 0), testing::Pair(1, 1), testing::Pair(2, 2), testing::Pair(1, 3),
                          testing::Pair(2, 4), testing::Pair(3, 5), testing::Pair(4, 6)));
  EXPECT_EQ(doubled.share, 1);
  EXPECT_EQ(std::pair(doubled.agreeing_blocks, doubled.compared_blocks), std::pair(5UL, 5UL)) << "not 7 of 5";
}

TEST(NeuronAgreement, FindsExpertsInAnotherOrder) {
  const Toy base = toy(1, 3, 16, 40, 4);
  EXPECT_FALSE(compared(sketch_of(base), sketch_of(with_noise(base, 0.2, 2))).mapped);
  Toy moved = with_noise(base, 0.2, 2);
  for (int layer = 0; layer < 3; ++layer) {
    auto* const first = &moved.blocks[static_cast<std::size_t>(4 * layer)];
    std::rotate(first, first + 1 + layer, first + 4);
    for (int e = 0; e < 4; ++e) first[e].expert = e;
  }
  const NeuronAgreement found = compared(sketch_of(base), sketch_of(moved));
  EXPECT_TRUE(found.mapped);
  EXPECT_EQ(found.agreeing_blocks, 12U);
  for (const BlockAgreement& block : found.blocks) {
    EXPECT_EQ(block.a / 4, block.b / 4);
    EXPECT_EQ(block.a % 4, (block.b % 4 + block.b / 4 + 1) % 4);
  }
  EXPECT_FALSE(found.telling) << "16 neurons are few";
}

TEST(NeuronAgreement, ExpertsThatWereMadeOfOneMlp) {
  // Sparse upcycling: four experts in each layer start as copies of the dense MLP.
  const Toy dense = toy(1, 3, 64, 200);
  Toy sparse = dense;
  sparse.blocks.clear();
  for (const auto& block : dense.blocks)
    for (int e = 0; e < 4; ++e) {
      sparse.blocks.push_back(block);
      sparse.blocks.back().expert = e;
    }
  const NeuronAgreement found = compared(sketch_of(dense), sketch_of(with_noise(sparse, 0.3, 2)));
  EXPECT_EQ(found.partners, 12U);
  EXPECT_EQ(found.agreeing_blocks, 3U);
  EXPECT_EQ(found.compared_blocks, 3U);
  for (const BlockAgreement& block : found.blocks) EXPECT_EQ(block.a, block.b / 4);
  EXPECT_EQ(found.map.matches.size(), 12U);
  EXPECT_EQ(found.map.direction(), 1);
}

/// Layers of 24 experts each, these of `base`, with experts in the opposite order.
Toy with_experts_reversed(const Toy& base, const std::vector<std::size_t>& layers) {
  Toy out = base;
  out.blocks.clear();
  for (const std::size_t layer : layers)
    for (std::size_t e = 24; e-- > 0;) {
      out.blocks.push_back(base.blocks[24 * layer + e]);
      out.blocks.back().layer = static_cast<int>(out.blocks.size() - 1) / 24;
      out.blocks.back().expert = static_cast<int>(out.blocks.size() - 1) % 24;
    }
  return out;
}

TEST(NeuronAgreement, OfManyExpertsAllLayersAreSearched) {
  // More than 16,384 pairs of blocks.
  const Toy base = toy(1, 8, 16, 40, 24);
  const Toy moved = with_experts_reversed(with_noise(base, 0.2, 2), {0, 1, 3, 6, 5, 7});
  const NeuronAgreement found = compared(sketch_of(base), sketch_of(moved));
  EXPECT_EQ(found.agreeing_blocks, 6U * 24);
  EXPECT_EQ(found.compared_blocks, 6U * 24);
  const std::vector<std::uint32_t> layers = {0, 1, 9, 2, 9, 4, 3, 5};
  std::size_t right = 0;
  for (const BlockAgreement& block : found.blocks)
    right += block.b / 24 == layers[block.a / 24] && block.a % 24 == 23 - block.b % 24;
  EXPECT_EQ(right, 6U * 24);
  EXPECT_EQ(found.map.matches.size(), 6U * 24);
  EXPECT_EQ(found.map.only_a.size(), 2U * 24);
  EXPECT_EQ(found.map.direction(), 0) << "layers 5 and 6 stand in another order";
  const NeuronAgreement strangers = compared(sketch_of(base), sketch_of(toy(3, 8, 16, 40, 24)));
  EXPECT_EQ(strangers.compared_blocks, 8U * 24);
  EXPECT_TRUE(strangers.map.matches.empty());
}

TEST(NeuronAgreement, OfManyExpertsAttentionFindsLayersThatAreNew) {
  // In layers 2 to 5 only one expert in twelve is left, and none of those that look for the layer.
  const Toy base = toy(1, 8, 16, 40, 24), strange = toy(2, 8, 16, 40, 24);
  Toy moved = with_experts_reversed(base, {0, 1, 2, 3, 4, 5, 6, 7});
  for (std::size_t i = 48; i < 144; ++i)
    if (i % 24 != 5 && i % 24 != 20) {
      moved.blocks[i].first = strange.blocks[i].first;
      moved.blocks[i].second = strange.blocks[i].second;
    }
  NeuronSketch a = sketch_of(base), b = sketch_of(moved);
  const auto in_new_layers = [](const NeuronAgreement& found) {
    return std::ranges::count_if(found.map.matches, [](const BlockMatch& match) {
      return match.a.layer >= 2 && match.a.layer <= 5 && match.a.expert == 23 - match.b.expert;
    });
  };
  EXPECT_EQ(in_new_layers(compared(a, b)), 0);
  neuron_toy::add_attention(a, 8, 5, 6, 0.3);
  neuron_toy::add_attention(b, 8, 5, 7, 0.3);
  EXPECT_EQ(in_new_layers(compared(a, b)), 8);
}

using Layers = std::vector<std::pair<int, int>>;

Layers layers_of(const BlockMap& map) {
  Layers out;
  for (const BlockMatch& match : map.matches) out.emplace_back(match.a.layer, match.b.layer);
  return out;
}

TEST(NeuronAgreement, MapsWhatWasDoneToLayers) {
  const Toy base = toy(1, 6, 64, 300), child = with_noise(base, 0.2, 2);
  const auto map = [&](const std::vector<std::size_t>& layers) {
    // Copies of a layer have noise of their own.
    return compared(sketch_of(base), sketch_of(with_noise(with_layers(child, layers), 0.1, 4))).map;
  };
  EXPECT_EQ(layers_of(map({0, 1, 3, 5})), (Layers{{0, 0}, {1, 1}, {3, 2}, {5, 3}}));
  EXPECT_EQ(map({0, 1, 3, 5}).direction(), 1);
  EXPECT_EQ(layers_of(map({0, 1, 2, 1, 2, 3, 4, 5})),
            (Layers{{0, 0}, {1, 1}, {1, 3}, {2, 2}, {2, 4}, {3, 5}, {4, 6}, {5, 7}}));
  EXPECT_EQ(map({0, 1, 2, 1, 2, 3, 4, 5}).direction(), 1);
  // Two of equal layers change places: all others agree in place, and those are searched for.
  EXPECT_EQ(layers_of(map({0, 2, 1, 3, 4, 5})), (Layers{{0, 0}, {1, 2}, {2, 1}, {3, 3}, {4, 4}, {5, 5}}));
  EXPECT_EQ(map({0, 2, 1, 3, 4, 5}).direction(), 0);
  // One lost, another doubled: as many as before, and fewer.
  EXPECT_EQ(layers_of(map({0, 1, 1, 3, 4, 5})), (Layers{{0, 0}, {1, 1}, {1, 2}, {3, 3}, {4, 4}, {5, 5}}));
  EXPECT_EQ(map({0, 1, 1, 3, 4, 5}).direction(), 1);
  EXPECT_EQ(layers_of(map({0, 1, 1, 5})), (Layers{{0, 0}, {1, 1}, {1, 2}, {5, 3}}));
  EXPECT_EQ(map({0, 1, 1, 5}).direction(), 1);
}

TEST(NeuronAgreement, MapsNothingBetweenStrangers) {
  EXPECT_TRUE(compared(sketch_of(toy(1, 6, 64, 300)), sketch_of(toy(2, 6, 64, 300))).map.matches.empty());
  const NeuronAgreement found = compared(sketch_of(toy(1, 6, 64, 300)), sketch_of(toy(2, 4, 64, 200)));
  EXPECT_TRUE(found.map.matches.empty());
  EXPECT_EQ(found.map.direction(), 0);
}

TEST(NeuronAgreement, WiderMlpsWithDoubledNeuronsAreNoLoss) {
  const Toy base = toy(1, 3, 128, 300);
  Toy narrow = base;
  narrow.units = 128;
  for (auto& block : narrow.blocks) {
    block.first.resize(60), block.second.resize(60);
    block.unit = {};
    for (std::uint32_t i = 0; i < 60; ++i) block.unit.push_back(i);
  }
  EXPECT_EQ(compared(sketch_of(base), sketch_of(narrow)).map.direction(), 1);
  Toy widened = narrow;
  widened.units = 256;
  for (auto& block : widened.blocks)
    for (std::uint32_t i = 0; i < 30; ++i) {
      block.first.push_back(block.first[i]), block.second.push_back(block.second[i]);
      block.unit.push_back(128 + i);
    }
  const BlockMap map = compared(sketch_of(narrow), sketch_of(with_noise(widened, 0.1, 5))).map;
  EXPECT_EQ(map.matches.size(), 3U);
  EXPECT_EQ(map.direction(), 0);
}

TEST(NeuronAgreement, AbstainsWithoutCommonAnchorsOrKinds) {
  const Toy base = toy(1, 3, 64, 100);
  NeuronSketch a = sketch_of(base), b = a;
  for (std::size_t t = 31; t < b.keys.size(); ++t) b.keys[t] += 1;
  EXPECT_EQ(compared(a, b).abstain, "no_anchor");
  EXPECT_EQ(compared(a, b).anchors, 31U);
  b.keys[31] -= 1;
  EXPECT_EQ(compared(a, b).abstain, "");
  EXPECT_EQ(compared(a, b).anchors, 32U);
  EXPECT_EQ(compared(a, sketch_of(base, false)).abstain, "unsupported");
  EXPECT_EQ(compared(a, NeuronSketch{}).abstain, "unsupported");
}

TEST(NeuronAgreement, RowsOfVocabulariesOfOtherSizesTellNothing) {
  const Toy base = toy(1, 3, 64, 100);
  NeuronSketch a = sketch_of(base), b = sketch_of(toy(2, 3, 64, 100));
  EXPECT_TRUE(compared(a, b).telling);
  a.by_string = b.by_string = 0;
  EXPECT_TRUE(compared(a, b).telling);
  EXPECT_TRUE(compared(a, b).by_row);
  b.vocabulary += 1;
  EXPECT_FALSE(compared(a, b).telling);
  // What is found nevertheless is found.
  b.blocks = a.blocks;
  EXPECT_EQ(compared(a, b).share, 1);
}

TEST(NeuronAgreement, PowerTakesTwoBlocksOfSixtyFour) {
  for (const auto& [layers, neurons, telling] : {std::tuple{2, 64U, true}, {1, 64U, false}, {3, 63U, false}})
    EXPECT_EQ(
        compared(sketch_of(toy(1, layers, neurons, 100)), sketch_of(toy(2, layers, neurons, 100))).telling,
        telling);
}

TEST(NeuronAgreement, EqualNeuronsAreNobodys) {
  // One model whose neurons are all the same, beside itself: nothing tells them apart.
  Toy base = toy(1, 3, 64, 64);
  for (auto& block : base.blocks)
    for (std::size_t i = 0; i < 64; ++i) block.first[i] = block.first[0], block.second[i] = block.second[0];
  const NeuronAgreement found = compared(sketch_of(base), sketch_of(base));
  EXPECT_EQ(found.share, 0);
  EXPECT_EQ(found.fixed, 0U);
  EXPECT_EQ(found.log_p_places, 0);
  // Neurons that answer nothing at all are left alone too.
  for (auto& block : base.blocks)
    for (auto* rows : {&block.first, &block.second})
      for (auto& row : *rows) std::ranges::fill(row, 0.0);
  EXPECT_EQ(compared(sketch_of(base), sketch_of(base)).labelled, 0U);
}

TEST(NeuronAgreement, ATenthOfAllNeuronsMayBeEverybodys) {
  const auto shared = [](std::size_t common) {
    Toy a = toy(1, 4, 60, 1000), b = toy(2, 4, 60, 1000);
    for (std::size_t block = 0; block < 4; ++block)
      for (std::size_t i = 0; i < common; ++i) {
        b.blocks[block].first[i] = a.blocks[block].first[i];
        b.blocks[block].second[i] = a.blocks[block].second[i];
      }
    return compared(sketch_of(a), sketch_of(b));
  };
  EXPECT_EQ(shared(5).log_p_robust, 0);
  EXPECT_LT(shared(5).log_p_nominal, -10);
  EXPECT_EQ(shared(5).agreeing_blocks, 0U);
  EXPECT_LT(shared(12).log_p_robust, -10);
  EXPECT_EQ(shared(12).agreeing_blocks, 4U);
}

TEST(NeuronAgreement, IndependentSketchesAreNotFoundMoreOftenThanAllowed) {
  Random random(20'260'101);
  const int pairs = 20'000;
  const std::uint32_t units = 96;
  std::vector<double> places, robust, nominal;
  double fixed = 0, mean = 0, variance = 0, agreeing = 0;
  int mapped = 0;
  for (int trial = 0; trial < pairs; ++trial) {
    const NeuronSketch a = neuron_toy::coins(random, 3, 64, units, 64),
                       b = neuron_toy::coins(random, 3, 64, units, 64);
    const NeuronAgreement found = compare_neurons(a, b);
    places.push_back(found.log_p_places);
    robust.push_back(found.log_p_robust);
    nominal.push_back(found.log_p_nominal);
    mapped += found.mapped;
    if (found.mapped) continue;
    for (const BlockAgreement& block : found.blocks) {
      fixed += static_cast<double>(block.fixed);
      agreeing += static_cast<double>(block.agreeing);
      mean += static_cast<double>(block.labelled) / units;
      variance += static_cast<double>(block.labelled) / units;  // of a law near Poisson's
    }
  }
  for (const auto& [name, log_p] :
       {std::pair("places", &places), {"robust", &robust}, {"nominal", &nominal}}) {
    double most = 0;
    for (const double x : *log_p) most = std::max(most, -x);
    std::printf("%s: largest |ln p| of %d independent pairs %.3f\n", name, pairs, most);
    EXPECT_LT(most, std::log(pairs / 1e-3)) << name;
    for (const double level : {0.1, 0.01, 0.001}) {
      const double found =
          static_cast<double>(std::ranges::count_if(*log_p, [&](double x) { return x <= std::log(level); }));
      std::printf("  at level %g: %g, allowed %g\n", level, found, level * pairs);
      EXPECT_LE(found, level * pairs + 4 * std::sqrt(level * pairs)) << name << " at " << level;
    }
  }
  std::printf("fixed points %g, expected %.1f, mapped %d, agreeing %g\n", fixed, mean, mapped, agreeing);
  EXPECT_NEAR(fixed, mean, 4 * std::sqrt(variance));
  EXPECT_GT(mean, 5'000);
  EXPECT_LT(mapped, pairs / 50);
}

}  // namespace
}  // namespace stemma
