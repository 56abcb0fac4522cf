// Is the root half-way along the longest path, and is the tree the same otherwise?
#include "analyzers/trees/midpoint_root.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/analyzers/trees/grown.hpp"

namespace stemma {
namespace {

using test::path_lengths;
using test::random_tree;

std::vector<double> depths(const FamilyTree& tree) {
  std::vector<double> out(tree.nodes.size(), 0);
  for (std::size_t i = 1; i < out.size(); ++i) out[i] = out[tree.nodes[i].parent] + tree.nodes[i].length;
  return out;
}

/// Things on the side without thing 0 -> support, of every edge that has one.
std::map<std::set<std::uint32_t>, double> supports(const FamilyTree& tree, std::uint32_t n) {
  std::vector<std::set<std::uint32_t>> below(tree.nodes.size());
  std::map<std::set<std::uint32_t>, double> out;
  for (std::size_t i = tree.nodes.size(); i-- > 0;) {
    if (tree.nodes[i].leaf != FamilyTree::none) below[i].insert(tree.nodes[i].leaf);
    if (i > 0) below[tree.nodes[i].parent].insert(below[i].begin(), below[i].end());
    if (std::isnan(tree.nodes[i].support)) continue;
    std::set<std::uint32_t> side = below[i];
    if (side.contains(0)) {
      side.clear();
      for (std::uint32_t thing = 0; thing < n; ++thing)
        if (!below[i].contains(thing)) side.insert(thing);
    }
    const bool is_new = out.emplace(side, tree.nodes[i].support).second;
    EXPECT_TRUE(is_new || out.at(side) == tree.nodes[i].support);
  }
  return out;
}

TEST(MidpointRoot, IsHalfWayAlongTheLongestPath) {
  std::mt19937_64 random(1);
  for (std::size_t n = 3; n <= 40; ++n) {
    const FamilyTree before = random_tree(n, random);
    const FamilyTree after = rooted_at_midpoint(before);
    const Distances a = path_lengths(before, n), b = path_lengths(after, n);
    for (std::size_t p = 0; p < a.value.size(); ++p) ASSERT_NEAR(a.value[p], b.value[p], 1e-12);
    const double longest = *std::ranges::max_element(a.value);
    std::vector<double> deepest;  // below each child of the root
    const std::vector<double> depth = depths(after);
    std::vector<std::size_t> branch(after.nodes.size(), 0);
    for (std::size_t i = 1; i < depth.size(); ++i) {
      ASSERT_LT(after.nodes[i].parent, i);
      if (after.nodes[i].parent == 0) {
        branch[i] = deepest.size();
        deepest.push_back(0);
      } else {
        branch[i] = branch[after.nodes[i].parent];
      }
      deepest[branch[i]] = std::max(deepest[branch[i]], depth[i]);
    }
    std::ranges::sort(deepest, std::greater{});
    ASSERT_GE(deepest.size(), 2U);
    EXPECT_NEAR(deepest[0], longest / 2, 1e-9);
    EXPECT_NEAR(deepest[1], longest / 2, 1e-9);
  }
}

TEST(MidpointRoot, SupportsStayWithTheirSplits) {
  std::mt19937_64 random(2);
  constexpr std::uint32_t n = 30;
  FamilyTree before = random_tree(n, random);
  for (std::size_t i = 1; i < before.nodes.size(); ++i)
    if (before.nodes[i].leaf == FamilyTree::none) before.nodes[i].support = static_cast<double>(i);
  const auto expected = supports(before, n);
  ASSERT_EQ(expected.size(), n - 3);
  const FamilyTree once = rooted_at_midpoint(before);
  EXPECT_EQ(supports(once, n), expected);
  // A root of two children is no vertex of the tree: rooting again comes to the same nodes.
  const FamilyTree twice = rooted_at_midpoint(once);
  EXPECT_EQ(supports(twice, n), expected);
  ASSERT_EQ(twice.nodes.size(), once.nodes.size());
  for (std::size_t i = 0; i < once.nodes.size(); ++i) {
    EXPECT_EQ(twice.nodes[i].parent, once.nodes[i].parent);
    EXPECT_EQ(twice.nodes[i].leaf, once.nodes[i].leaf);
    EXPECT_NEAR(twice.nodes[i].length, once.nodes[i].length, 1e-12);
  }
}

TEST(MidpointRoot, AVertexInTheMiddleBecomesTheRoot) {
  // ((0:1,1:1):0.5,(2:1,3:0.5):0.5,4:1.5): three leaves are equally far from the node in the middle.
  using Node = FamilyTree::Node;
  FamilyTree tree;
  const auto add = [&](std::uint32_t parent, std::uint32_t leaf, double length) {
    tree.nodes.push_back(Node{.parent = parent, .leaf = leaf, .length = length});
    return static_cast<std::uint32_t>(tree.nodes.size() - 1);
  };
  const std::uint32_t root = add(FamilyTree::none, FamilyTree::none, 0);
  const std::uint32_t first = add(root, FamilyTree::none, 0);
  add(root, 0, 1);
  add(root, 1, 1);
  add(first, FamilyTree::none, 0.5);
  const std::uint32_t middle = 4;
  const std::uint32_t other = add(middle, FamilyTree::none, 0.5);
  add(middle, 4, 1.5);
  add(other, 2, 1);
  add(other, 3, 0.5);
  const FamilyTree hung = rooted_at_midpoint(tree);
  EXPECT_EQ(hung.nodes.size(), tree.nodes.size());
  EXPECT_EQ(std::ranges::count(hung.nodes, 0U, &Node::parent), 3);
  const std::vector<double> depth = depths(hung);
  for (std::size_t i = 0; i < depth.size(); ++i)
    if (hung.nodes[i].leaf != FamilyTree::none) {
      EXPECT_NEAR(depth[i], hung.nodes[i].leaf == 3 ? 1 : 1.5, 1e-12);
    }
}

TEST(MidpointRoot, WhatHasNoMiddleStaysAsItIs) {
  EXPECT_TRUE(rooted_at_midpoint({}).nodes.empty());
  FamilyTree one;
  one.nodes.push_back({.leaf = 0});
  EXPECT_EQ(rooted_at_midpoint(one).nodes.size(), 1U);
  std::mt19937_64 random(3);
  FamilyTree flat = random_tree(5, random);
  for (FamilyTree::Node& node : flat.nodes) node.length = 0;
  const FamilyTree same = rooted_at_midpoint(flat);
  ASSERT_EQ(same.nodes.size(), flat.nodes.size());
  for (std::size_t i = 0; i < same.nodes.size(); ++i) EXPECT_EQ(same.nodes[i].parent, flat.nodes[i].parent);
}

TEST(MidpointRoot, RefusesChildrenBeforeTheirParents) {
  FamilyTree tree;
  tree.nodes.resize(3);
  tree.nodes[1].parent = 2;
  tree.nodes[2].parent = 0;
  EXPECT_THROW(rooted_at_midpoint(tree), std::invalid_argument);
}

}  // namespace
}  // namespace stemma
