// Do sketches and agreements arrive as they were sent?
#include "pipeline/neuron_codec.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/analyzers/neuron_toy.hpp"

namespace stemma {
namespace {

TEST(NeuronCodec, SketchesArriveAsTheyWereSent) {
  NeuronSketch one = neuron_toy::sketch_of(neuron_toy::toy(1, 3, 20, 50)), other = one;
  neuron_toy::add_attention(one, 3, 1, 2, 0.5);
  one.blocks[1].expert = 7;
  one.blocks[1].gated = false;
  one.blocks[2].order = 0.625;
  one.blocks[0].first[3] = no_reading;
  one.keys[5] = ~std::uint64_t{0};
  other.blocks.clear();
  const NeuronSketch* const both[] = {&one, &other};
  const auto sent = encode_sketches(both);
  EXPECT_EQ(decode_sketches(sent), (std::vector<NeuronSketch>{one, other}));
  const double size = static_cast<double>(travelling_bytes(one) + travelling_bytes(other));
  EXPECT_NEAR(static_cast<double>(sent.size()), size, 0.1 * size);
}

TEST(NeuronCodec, AgreementsArriveAsTheyWereSent) {
  NeuronAgreement found;
  found.abstain = "no_anchor";
  found.anchors = 1, found.blocks_a = 2, found.blocks_b = 3, found.partners = 4;
  found.compared_blocks = 5, found.agreeing_blocks = 6, found.fixed = 7, found.labelled = 8;
  found.by_row = found.telling = true;
  found.share = 0.1, found.control = missing, found.attention = 0.2, found.likeness = 0.3;
  found.log_p_places = -1, found.log_p_robust = -2, found.log_p_nominal = -3;
  found.blocks.resize(2);
  BlockAgreement& first = found.blocks.front();
  first.a = 1, first.b = 2, first.kept = 3, first.matched = 4, first.agreeing = 5, first.labelled = 6;
  first.fixed = 7, first.units = 8, first.likeness = 0.5, first.sorted = true;
  first.log_p_places = -1, first.log_p_robust = -2, first.log_p_nominal = -3;
  found.map.matches = {{{1, 2, 3}, {4, -1, 5}}, {{6, 7, 8}, {9, 10, 11}}};
  found.map.only_a = {{12, 13, 14}}, found.map.only_b = {{15, -1, 16}, {17, -1, 18}};
  found.map.signs = {{OrderSign::lacks_experts, false}, {OrderSign::grown_experts, true}};
  const PlacedAgreement placed[] = {{11, found}, {12, {}}};
  const auto back = decode_agreements(encode_agreements(placed));
  ASSERT_EQ(back.size(), 2U);
  EXPECT_EQ(back[0].pair, 11U);
  EXPECT_EQ(back[1].pair, 12U);
  const NeuronAgreement& f = back[0].found;
  EXPECT_EQ(std::tuple(f.abstain, f.anchors, f.blocks_a, f.blocks_b, f.partners),
            std::tuple("no_anchor", 1U, 2U, 3U, 4U));
  EXPECT_EQ(std::tuple(f.compared_blocks, f.agreeing_blocks, f.fixed, f.labelled),
            std::tuple(5U, 6U, 7U, 8U));
  EXPECT_EQ(std::tuple(f.by_row, f.mapped, f.telling, f.sorted), std::tuple(true, false, true, false));
  EXPECT_EQ(std::tuple(f.share, f.attention, f.likeness), std::tuple(0.1, 0.2, 0.3));
  EXPECT_TRUE(std::isnan(f.control));
  EXPECT_EQ(std::tuple(f.log_p_places, f.log_p_robust, f.log_p_nominal), std::tuple(-1.0, -2.0, -3.0));
  ASSERT_EQ(f.blocks.size(), 2U);
  const BlockAgreement& b = f.blocks[0];
  EXPECT_EQ(
      std::tuple(b.a, b.b, b.kept, b.matched, b.agreeing, b.labelled, b.fixed, b.units, b.likeness, b.sorted),
      std::tuple(1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U, 0.5, true));
  EXPECT_EQ(std::tuple(b.log_p_places, b.log_p_robust, b.log_p_nominal), std::tuple(-1, -2, -3));
  EXPECT_TRUE(std::isnan(f.blocks[1].likeness));
  EXPECT_EQ(f.map.matches, found.map.matches);
  EXPECT_EQ(f.map.only_a, found.map.only_a);
  EXPECT_EQ(f.map.only_b, found.map.only_b);
  EXPECT_EQ(f.map.signs, found.map.signs);
  EXPECT_TRUE(back[1].found.map.matches.empty());
}

}  // namespace
}  // namespace stemma
