// Is the partner the block that most neurons agree with, and are only blocks of a kind held against each
// other?
#include "analyzers/partner_search.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "analyzers/thresholds.hpp"
#include "neuron_toy.hpp"

namespace stemma {
namespace {

using neuron_toy::sketch_of;
using neuron_toy::toy;
using neuron_toy::with_layers;
using neuron_toy::with_noise;

std::vector<Partner> partners(const NeuronSketch& a, const NeuronSketch& b,
                              std::vector<std::size_t> blocks = {}) {
  const SharedAnchors shared = shared_anchors(a, b);
  if (blocks.empty()) {
    blocks.resize(a.blocks.size());
    std::iota(blocks.begin(), blocks.end(), std::size_t{0});
  }
  return PartnerSearch(a, b, shared).partners(blocks);
}

TEST(PartnerSearch, TakesTheBlockThatMostNeuronsAgreeWith) {
  const auto base = toy(1, 4, 64, 200);
  const auto found = partners(sketch_of(with_layers(base, {2, 0, 3})), sketch_of(with_noise(base, 0.2, 2)));
  ASSERT_EQ(found.size(), 3U);
  for (const auto& [n, block] : {std::pair(0U, 2U), {1U, 0U}, {2U, 3U}}) {
    EXPECT_EQ(found[n].block, block);
    EXPECT_EQ(found[n].agreeing, thresholds::searched_neurons);
    EXPECT_EQ(found[n].held, 4U);
    EXPECT_GT(found[n].likeness, 0.9);
  }
}

TEST(PartnerSearch, OfEqualsTheLikerOneIsThePartner) {
  // Copies of one block that differ in noise alone: in all of them every neuron agrees.
  const auto base = toy(1, 1, 64, 200);
  auto copies = with_layers(base, {0, 0, 0, 0});
  for (std::size_t i = 0; i < 4; ++i)
    copies.blocks[i] =
        with_noise(with_layers(copies, {i}), i == 2 ? 0.05 : 0.3, 5 + static_cast<unsigned>(i)).blocks[0];
  for (std::size_t i = 0; i < 4; ++i) copies.blocks[i].layer = static_cast<int>(i);
  const auto found = partners(sketch_of(base), sketch_of(copies));
  EXPECT_EQ(found[0].block, 2U);
  EXPECT_EQ(found[0].agreeing, thresholds::searched_neurons);
}

TEST(PartnerSearch, FindsAFewNeuronsOfALargerBlockAmongAllOfIt) {
  // An expert holds neurons of a dense MLP that are not among its sixteen largest.
  const auto dense = toy(1, 3, 128, 400);
  auto experts = dense;
  for (auto& block : experts.blocks) {
    block.first.erase(block.first.begin(), block.first.begin() + 100);
    block.second.erase(block.second.begin(), block.second.begin() + 100);
    block.unit.resize(28);
    block.expert = 0;
  }
  const auto found = partners(sketch_of(experts), sketch_of(with_noise(dense, 0.2, 2)));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(found[i].block, i);
    EXPECT_EQ(found[i].agreeing, thresholds::searched_neurons);
  }
}

TEST(PartnerSearch, HoldsOnlyBlocksOfAKindAgainstEachOther) {
  const auto base = toy(1, 4, 64, 200);
  NeuronSketch a = sketch_of(base), b = a;
  b.blocks[1].gated = b.blocks[2].gated = false;
  const SharedAnchors shared = shared_anchors(a, b);
  EXPECT_EQ(PartnerSearch(a, b, shared).candidates(), 2U);
  const auto found = partners(a, b, {1, 3});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].held, 2U);
  EXPECT_LT(found[0].agreeing, thresholds::partner_neurons);
  EXPECT_EQ(found[1].block, 3U);
  a.blocks[0].gated = false;
  EXPECT_EQ(PartnerSearch(a, b, shared).candidates(), 2U);
  EXPECT_EQ(partners(a, b, {0})[0].held, 2U);
}

TEST(PartnerSearch, OfManyBlocksLooksAtFew) {
  // 160 experts each: one of each layer everywhere, the others where that one was found.
  const auto base = toy(1, 8, 16, 60, 20);
  const NeuronSketch a = sketch_of(base);
  const auto found = partners(a, sketch_of(with_noise(base, 0.2, 2)));
  std::size_t held = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].block, i);
    held += found[i].held;
  }
  EXPECT_EQ(held, 8U * 160 + 8U * 20 * 20);
  // Strangers: one of each layer, and no more.
  held = 0;
  for (const Partner& partner : partners(a, sketch_of(toy(3, 8, 16, 60, 20)))) held += partner.held;
  EXPECT_EQ(held, 8U * 160);
}

}  // namespace
}  // namespace stemma
