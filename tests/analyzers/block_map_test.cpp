// Which order does every kind of loss and growth show, and which say nothing?
#include "analyzers/block_map.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace stemma {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Matches = std::vector<std::pair<std::size_t, std::size_t>>;

/// Blocks of layers with `experts` each, or dense ones.
std::vector<BlockPlace> blocks(int layers, int experts = 0, std::uint32_t units = 100) {
  std::vector<BlockPlace> out;
  for (int layer = 0; layer < layers; ++layer)
    for (int e = 0; e < std::max(experts, 1); ++e) out.push_back({layer, experts == 0 ? -1 : e, units});
  return out;
}

/// Two models, and which blocks of each are like another.
struct Case {
  std::vector<BlockPlace> a, b;
  Matches matches;
  std::set<std::pair<std::size_t, std::size_t>> alike_a = {}, alike_b = {};
  std::set<std::size_t> twins_a = {}, twins_b = {};

  BlockMap map() const {
    return map_of(
        {.a = a,
         .b = b,
         .matches = matches,
         .alike =
             [this](int side, std::size_t i, std::size_t j) {
               return (side == 0 ? alike_a : alike_b).contains({i, j});
             },
         .twins = [this](int side, std::size_t i) { return (side == 0 ? twins_a : twins_b).contains(i); }});
  }
};

/// The map; fails where the models in the other order say something else.
BlockMap mapped(const Case& c) {
  BlockMap found = c.map();
  Case turned{c.b, c.a, {}, c.alike_b, c.alike_a, c.twins_b, c.twins_a};
  for (const auto& [i, j] : c.matches) turned.matches.emplace_back(j, i);
  BlockMap other = turned.map();
  EXPECT_EQ(other.direction(), -found.direction());
  other.turn();
  EXPECT_EQ(other.matches, found.matches);
  EXPECT_EQ(other.only_a, found.only_a);
  EXPECT_EQ(other.only_b, found.only_b);
  EXPECT_EQ(other.signs, found.signs);
  return found;
}

std::vector<OrderSign> signs(const BlockMap& map) {
  std::vector<OrderSign> out;
  for (const SignOfOrder& sign : map.signs) out.push_back(sign.sign);
  return out;
}

const Matches pruned = {{0, 0}, {1, 1}, {3, 2}, {5, 3}};
const Matches deepened = {{0, 0}, {1, 1}, {2, 2}, {1, 3}, {2, 4}, {3, 5}};

TEST(BlockMap, OfStrangersIsEmpty) {
  const BlockMap map = mapped({blocks(4), blocks(3), {}});
  EXPECT_THAT(map.matches, IsEmpty());
  EXPECT_THAT(map.only_a, IsEmpty());
  EXPECT_EQ(map.direction(), 0);
}

TEST(BlockMap, OfEqualStructuresShowsNoOrder) {
  const BlockMap map = mapped({blocks(3), blocks(3), {{0, 0}, {1, 1}, {2, 2}}});
  EXPECT_EQ(map.matches.size(), 3U);
  EXPECT_THAT(map.signs, IsEmpty());
  EXPECT_THAT(mapped({blocks(3), blocks(3), {{0, 2}, {1, 1}, {2, 0}}}).signs, IsEmpty());
}

TEST(BlockMap, OfLayersThatWereLeftOut) {
  Case c{blocks(6), blocks(4), pruned};
  const BlockMap map = mapped(c);
  EXPECT_THAT(signs(map), ElementsAre(OrderSign::lacks_layers));
  EXPECT_EQ(map.direction(), 1);
  EXPECT_THAT(map.only_a, ElementsAre(c.a[2], c.a[4]));
  EXPECT_THAT(map.only_b, IsEmpty());
  c.matches = {{1, 0}, {0, 1}, {3, 2}, {5, 3}};
  EXPECT_EQ(mapped(c).direction(), 0) << "in another order";
  c.matches = {{0, 0}, {1, 1}, {3, 2}};
  EXPECT_EQ(mapped(c).direction(), 0) << "a layer of its own";
  c.matches = pruned;
  c.alike_a = {{2, 3}};
  EXPECT_EQ(mapped(c).direction(), 0) << "what is lacking may be a copy";
  c.alike_a = {{0, 3}};
  EXPECT_EQ(mapped(c).direction(), 1) << "nothing that is lacking is one";
}

TEST(BlockMap, OfLayersThatWereDoubled) {
  Case c{blocks(4), blocks(6), deepened, {}, {{1, 3}, {2, 4}}};
  EXPECT_THAT(signs(mapped(c)), ElementsAre(OrderSign::grown_layers));
  EXPECT_EQ(mapped(c).direction(), 1);
  c.alike_b.clear();
  EXPECT_EQ(mapped(c).direction(), 0) << "they are not alike";
  c.alike_b = {{1, 3}, {2, 4}};
  c.alike_a = {{0, 1}, {1, 2}};
  EXPECT_EQ(mapped(c).direction(), 0) << "the other has such layers, too";
  c.alike_a = {{0, 1}};
  EXPECT_EQ(mapped(c).direction(), 1) << "layer 2 has none";
  // Doubled and cut short: both make the larger one the later.
  c = {blocks(4), blocks(5), {{0, 0}, {1, 1}, {1, 2}, {2, 3}, {2, 4}}, {}, {{1, 2}}};
  EXPECT_EQ(mapped(c).direction(), 1);
}

TEST(BlockMap, OfExpertsFromOneMlp) {
  Case c{blocks(2), blocks(2, 3), {}};
  for (std::size_t e = 0; e < 6; ++e) c.matches.emplace_back(e / 3, e);
  EXPECT_EQ(mapped(c).direction(), 0) << "experts that are not alike";
  c.alike_b = {{0, 1}, {3, 5}};
  EXPECT_THAT(signs(mapped(c)), ElementsAre(OrderSign::grown_experts));
  EXPECT_EQ(mapped(c).direction(), 1);
  c.alike_b = {{0, 1}};
  EXPECT_EQ(mapped(c).direction(), 1) << "half of the layers are enough";
  Case longer{blocks(3), blocks(3, 2), {{0, 0}, {0, 1}, {1, 2}, {1, 3}, {2, 4}, {2, 5}}, {}, {{0, 1}}};
  EXPECT_EQ(mapped(longer).direction(), 0) << "a third is not";
  // Experts from several MLPs: one of each is another one's copy.
  Case one_each{blocks(2), blocks(2, 3), {{0, 1}, {1, 4}}};
  EXPECT_EQ(mapped(one_each).direction(), 0);
}

TEST(BlockMap, OfExpertsThatWereLeftOut) {
  Case c{blocks(2, 4), blocks(2, 2), {{0, 0}, {2, 1}, {5, 2}, {7, 3}}};
  EXPECT_THAT(signs(mapped(c)), ElementsAre(OrderSign::lacks_experts));
  EXPECT_EQ(mapped(c).direction(), 1);
  c.matches.pop_back();
  EXPECT_EQ(mapped(c).direction(), 0) << "three of four match";
  // Of experts that are alike in both models, several are one, and none is lacking.
  Case both{blocks(1, 4), blocks(1, 2), {{0, 0}, {1, 0}, {2, 1}, {3, 1}}, {{0, 1}, {2, 3}}, {{0, 1}}};
  EXPECT_EQ(mapped(both).direction(), 0);
  both.alike_b.clear();
  EXPECT_EQ(mapped(both).direction(), -1) << "else the one with more has grown";
  // A dense model lacks no experts.
  EXPECT_EQ(mapped({blocks(2, 4), blocks(2), {{0, 0}, {4, 1}}}).direction(), 0);
}

TEST(BlockMap, OfNeuronsThatWereLeftOut) {
  Case c{blocks(4, 0, 344), blocks(4, 0, 200), {{0, 0}, {1, 1}, {2, 2}, {3, 3}}};
  EXPECT_THAT(signs(mapped(c)), ElementsAre(OrderSign::lacks_neurons));
  EXPECT_EQ(mapped(c).direction(), 1);
  c.twins_a = {2};
  EXPECT_EQ(mapped(c).direction(), 0) << "the wider one may have doubled them";
  c.twins_a.clear();
  c.twins_b = {2};
  EXPECT_EQ(mapped(c).direction(), 1);
  c.b[3].units = 345;
  EXPECT_EQ(mapped(c).direction(), 0) << "one is wider";
  c.b[3].units = 344;
  EXPECT_EQ(mapped(c).direction(), 1) << "three of four are narrower";
  c.b[2].units = c.b[1].units = 344;
  EXPECT_EQ(mapped(c).direction(), 0) << "one of four is";
  // An expert with fewer neurons than the MLP it is of is no loss.
  EXPECT_EQ(mapped({blocks(1, 2, 344), blocks(1, 0, 200), {{0, 0}}}).direction(), 0);
}

TEST(BlockMap, SignsThatDisagreeSayNothing) {
  // Siblings: one lost layers, the other neurons.
  Case c{blocks(6, 0, 100), blocks(4, 0, 200), pruned};
  EXPECT_THAT(signs(mapped(c)), ElementsAre(OrderSign::lacks_neurons, OrderSign::lacks_layers));
  EXPECT_EQ(mapped(c).direction(), 0);
  c.b = blocks(4, 0, 50);
  EXPECT_EQ(mapped(c).signs.size(), 2U);
  EXPECT_EQ(mapped(c).direction(), 1) << "one lost both";
  // One was deepened; it or the other lost neurons.
  c = {blocks(4, 0, 200), blocks(6, 0, 100), deepened, {}, {{1, 3}, {2, 4}}};
  EXPECT_EQ(mapped(c).signs.size(), 2U);
  EXPECT_EQ(mapped(c).direction(), 1);
  c.a = blocks(4, 0, 50);
  EXPECT_EQ(mapped(c).signs.size(), 2U);
  EXPECT_EQ(mapped(c).direction(), 0);
}

TEST(BlockMap, ACopyThatHasMoreBesidesShowsNoOrder) {
  // One was deepened, and the other, a sibling, lost a layer: two layers of the former match nothing.
  const Case deep{blocks(3), blocks(6), {{0, 0}, {1, 1}, {1, 3}, {2, 5}}, {}, {{1, 3}, {2, 4}}};
  EXPECT_EQ(mapped(deep).direction(), 0);
  Case sparse{blocks(2), blocks(3, 2), {{0, 0}, {0, 1}, {1, 4}, {1, 5}}, {}, {{0, 1}, {2, 3}, {4, 5}}};
  EXPECT_THAT(signs(mapped(sparse)), ElementsAre(OrderSign::lacks_layers))
      << "and the other one's loss is one";
  // Experts of an MLP that is narrower than they are.
  sparse = {blocks(1, 0, 50), blocks(1, 2, 100), {{0, 0}, {0, 1}}, {}, {{0, 1}}};
  EXPECT_EQ(mapped(sparse).direction(), 0);
  sparse.a = blocks(1, 0, 100);
  EXPECT_EQ(mapped(sparse).direction(), 1);
}

}  // namespace
}  // namespace stemma
