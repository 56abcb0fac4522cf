// Is the support of an edge the share of resampled trees that part the things as it does?
#include "analyzers/trees/support.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "analyzers/trees/midpoint_root.hpp"
#include "analyzers/trees/neighbour_joining.hpp"
#include "tests/analyzers/trees/grown.hpp"

namespace stemma {
namespace {

using test::path_lengths;
using test::random_tree;

/// Of the inner edges, in the order of the nodes.
std::vector<double> supports(const FamilyTree& tree) {
  std::vector<double> out;
  for (const FamilyTree::Node& node : tree.nodes)
    if (!std::isnan(node.support)) out.push_back(node.support);
  return out;
}

/// Of pairs (0, 1), (2, 3), ... that hang from one vertex by edges of length `apart`, after things change
/// places.
Distances in_pairs(std::size_t n, double apart, const std::vector<std::size_t>& place) {
  Distances d(n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = i + 1; j < n; ++j) d.at(i, j) = place[i] / 2 == place[j] / 2 ? 1 : 1 + 2 * apart;
  return d;
}

TEST(Support, EdgesThatAllReplicatesHaveAreSupportedByAll) {
  std::mt19937_64 random(1);
  for (const std::size_t n : {4, 5, 20, 63, 64, 65, 130}) {
    const Distances d = path_lengths(random_tree(n, random), n);
    FamilyTree tree = neighbour_joining(d);
    // Other lengths, the same splits: a root elsewhere changes nothing either.
    fill_support(tree, 3, [&](std::size_t r) {
      Distances longer = d;
      for (double& x : longer.value) x *= 1 + static_cast<double>(r);
      return longer;
    });
    EXPECT_EQ(supports(tree), std::vector<double>(n - 3, 100)) << n;
    FamilyTree rooted = rooted_at_midpoint(neighbour_joining(d));
    fill_support(rooted, 2, [&](std::size_t) { return d; });
    for (const double support : supports(rooted)) EXPECT_EQ(support, 100);
    EXPECT_GE(supports(rooted).size(), n - 3);
  }
}

TEST(Support, IsTheShareOfReplicatesWithTheSplit) {
  const std::vector<std::size_t> plain = {0, 1, 2, 3, 4, 5, 6, 7};
  const std::vector<std::size_t> two_changed = {0, 2, 1, 3, 4, 5, 6, 7};  // (0, 2) and (1, 3) instead
  FamilyTree tree = neighbour_joining(in_pairs(8, 0.5, plain));
  fill_support(tree, 8, [&](std::size_t r) { return in_pairs(8, 0.5, r < 3 ? plain : two_changed); });
  // The pairs, by their first things; the edge that holds two pairs together has length 0 in every replicate.
  std::map<std::uint32_t, double> of_pair;
  for (std::size_t i = 1; i < tree.nodes.size(); ++i) {
    const FamilyTree::Node& leaf = tree.nodes[i];
    if (leaf.leaf == FamilyTree::none || leaf.leaf % 2 != 0 ||
        tree.nodes[leaf.parent].parent == FamilyTree::none)
      continue;
    of_pair[leaf.leaf] = tree.nodes[leaf.parent].support;
  }
  EXPECT_EQ(of_pair, (std::map<std::uint32_t, double>{{0, 37.5}, {2, 37.5}, {4, 100}, {6, 100}}));
  std::vector<double> all = supports(tree);
  EXPECT_EQ(std::ranges::count(all, 0), 1);
  EXPECT_EQ(all.size(), 5U);
}

TEST(Support, SplitsThatNoReplicateHasHaveNone) {
  FamilyTree tree = neighbour_joining(in_pairs(4, 0.5, {0, 1, 2, 3}));
  fill_support(tree, 5, [&](std::size_t) { return in_pairs(4, 0.5, {0, 2, 1, 3}); });
  EXPECT_EQ(supports(tree), std::vector<double>{0});
}

TEST(Support, TheOrderOfEqualCopiesIsNoEvidence) {
  // Joined in the same order every time, and yet nothing parts them.
  FamilyTree tree = neighbour_joining(Distances(7, 1));
  fill_support(tree, 10, [](std::size_t) { return Distances(7, 1); });
  EXPECT_EQ(supports(tree), std::vector<double>(4, 0));
}

TEST(Support, BothEdgesAtTheRootAreOneSplit) {
  FamilyTree tree = rooted_at_midpoint(neighbour_joining(in_pairs(4, 0.5, {0, 1, 2, 3})));
  fill_support(tree, 4, [&](std::size_t r) {
    return in_pairs(4, 0.5,
                    r == 0 ? std::vector<std::size_t>{0, 1, 2, 3} : std::vector<std::size_t>{0, 2, 1, 3});
  });
  EXPECT_EQ(supports(tree), (std::vector<double>{25, 25}));
}

TEST(Support, WithoutReplicatesNothingIsKnown) {
  FamilyTree tree = neighbour_joining(in_pairs(4, 0.5, {0, 1, 2, 3}));
  for (FamilyTree::Node& node : tree.nodes) node.support = 50;
  fill_support(tree, 0, [](std::size_t) { return Distances(0); });
  EXPECT_TRUE(supports(tree).empty());
  FamilyTree none;
  fill_support(none, 3, [](std::size_t) { return Distances(0); });
  EXPECT_TRUE(none.nodes.empty());
}

TEST(Support, RefusesReplicatesOfOtherThings) {
  FamilyTree tree = neighbour_joining(Distances(5, 1));
  EXPECT_THROW(fill_support(tree, 1, [](std::size_t) { return Distances(4, 1); }), std::invalid_argument);
  EXPECT_THROW(fill_support(tree, 1, [](std::size_t) { return Distances(5); }), std::invalid_argument);
  EXPECT_TRUE(supports(tree).empty());
  tree.nodes.back().leaf = 0;
  EXPECT_THROW(fill_support(tree, 1, [](std::size_t) { return Distances(5, 1); }), std::invalid_argument);
}

}  // namespace
}  // namespace stemma
