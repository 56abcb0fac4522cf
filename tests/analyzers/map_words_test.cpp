// Is a map told exactly, and so that a reader sees at once what was done?
#include "analyzers/map_words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stemma {
namespace {

using testing::HasSubstr;

BlockPlace at(int layer, int expert = -1) { return {layer, expert, 10}; }

BlockMap dense(const std::vector<std::pair<int, int>>& layers, const std::vector<int>& only_a = {},
               const std::vector<int>& only_b = {}) {
  BlockMap map;
  for (const auto& [a, b] : layers) map.matches.push_back({at(a), at(b)});
  for (const int layer : only_a) map.only_a.push_back(at(layer));
  for (const int layer : only_b) map.only_b.push_back(at(layer));
  return map;
}

TEST(ExactWords, PutRunsTogether) {
  EXPECT_EQ(exact_words(std::vector<BlockMatch>{}), "");
  EXPECT_EQ(exact_words(dense({{0, 0}, {1, 1}, {3, 2}, {5, 3}}).matches), "0-1:0-1 3:2 5:3");
  EXPECT_EQ(exact_words(dense({{0, 1}, {1, 1}, {2, 1}, {3, 2}}).matches), "0-2:1 3:2");
  EXPECT_EQ(exact_words(dense({{0, 0}, {1, 1}, {1, 3}, {2, 2}, {2, 4}}).matches), "0-1:0-1 1:3 2:2 2:4");
  EXPECT_EQ(exact_words(dense({{0, 2}, {1, 1}, {2, 0}}).matches), "0:2 1:1 2:0");
  std::vector<BlockMatch> experts;
  for (int e = 0; e < 4; ++e) experts.push_back({at(0, e), at(0)});
  experts.push_back({at(1, 0), at(1)});
  EXPECT_EQ(exact_words(experts), "0.0-3:0 1.0:1");
  for (BlockMatch& match : experts) std::swap(match.a, match.b);
  EXPECT_EQ(exact_words(experts), "0:0.0-3 1:1.0");
  experts = {{at(0, 0), at(0, 1)}, {at(0, 1), at(0, 2)}, {at(0, 2), at(0, 0)}, {at(1, 0), at(1, 0)}};
  EXPECT_EQ(exact_words(experts), "0.0-1:0.1-2 0.2:0.0 1.0:1.0");
}

TEST(ExactWords, OfPlaces) {
  EXPECT_EQ(exact_words(std::vector{at(2), at(4), at(5), at(6)}), "2 4-6");
  EXPECT_EQ(exact_words(std::vector{at(2, 0), at(2, 1), at(3, 2)}), "2.0-1 3.2");
}

TEST(MapWords, OfWhatWasDone) {
  EXPECT_EQ(map_words(dense({{0, 0}, {1, 1}}), "A", "B"), "");
  EXPECT_EQ(map_words({}, "A", "B"), "");
  EXPECT_EQ(map_words(dense({{0, 0}, {1, 1}, {3, 2}, {5, 3}}, {2, 4}), "A", "B"),
            "Layers 0-3 of B are 0, 1, 3 and 5 of A; layers 2 and 4 of A match nothing of B.");
  EXPECT_EQ(map_words(dense({{0, 0}, {1, 1}, {2, 3}, {3, 5}}, {}, {2, 4}), "B", "A"),
            "Layers 0-3 of B are 0, 1, 3 and 5 of A; layers 2 and 4 of A match nothing of B.");
  EXPECT_EQ(map_words(dense({{0, 0}, {1, 1}, {1, 3}, {2, 2}, {2, 4}, {3, 5}}), "A", "B"),
            "Layers 0 and 3 of A are 0 and 5 of B; layers 1 and 3 of B both match 1 of A; layers 2 and 4 of "
            "B both match "
            "2 of A.");
  EXPECT_EQ(map_words(dense({{0, 0}, {1, 2}, {2, 1}}), "A", "B"), "Layers 0-2 of A are 0, 2 and 1 of B.");
  std::vector<std::pair<int, int>> many;
  for (int i = 0; i < 12; ++i) many.emplace_back(i / 2, i);
  EXPECT_THAT(map_words(dense(many), "A", "B"), HasSubstr("; 2 more such groups of layers match one each."));
}

TEST(MapWords, OfExperts) {
  BlockMap map;
  for (int layer = 0; layer < 2; ++layer)
    for (int e = 0; e < 3; ++e) map.matches.push_back({at(layer), at(layer, e)});
  EXPECT_EQ(map_words(map, "A", "B"), "Several experts of B match one MLP of A in 2 of its layers.");
  map.matches.clear();
  for (int e = 0; e < 3; ++e) map.matches.push_back({at(0, e), at(0, 2 - e)});
  map.only_b = {at(0, 3)};
  EXPECT_EQ(map_words(map, "A", "B"),
            "Experts stand in another order in 1 layer; 1 expert of B matches nothing of A.");
}

TEST(OrderWords, SayWhy) {
  BlockMap map;
  EXPECT_THAT(order_words(map, "A", "B"), HasSubstr("does not show"));
  map.signs = {{OrderSign::lacks_layers, true}};
  EXPECT_EQ(order_words(map, "A", "B"),
            "As B lacks layers of A, B comes from A or from a relative that is like it in this.");
  map.signs = {{OrderSign::grown_layers, false}, {OrderSign::grown_experts, false}};
  EXPECT_EQ(
      order_words(map, "A", "B"),
      "As several layers of A are alike and are one of B, and several experts of A are alike and are one "
      "MLP of B, A comes from B or from a relative that is like it in this.");
  map.signs = {{OrderSign::lacks_experts, false}, {OrderSign::lacks_neurons, true}};
  EXPECT_EQ(order_words(map, "A", "B"),
            "Which came first is open, because signs disagree: A lacks experts of B, and the MLPs of B lack "
            "neurons of A.");
}

}  // namespace
}  // namespace stemma
