// Does neighbour joining find the tree whose paths the distances are, whatever the order of the things?
#include "analyzers/trees/neighbour_joining.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/analyzers/trees/grown.hpp"

namespace stemma {
namespace {

using test::path_lengths;
using test::random_tree;

/// Two children at each inner node, three at the root, every leaf once, parents first, no length below 0.
void expect_whole(const FamilyTree& tree, std::size_t n) {
  ASSERT_EQ(tree.nodes.size(), 2 * n - 2);
  std::vector<int> children(tree.nodes.size(), 0), leaves(n, 0);
  for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
    const FamilyTree::Node& node = tree.nodes[i];
    if (i > 0) {
      ASSERT_LT(node.parent, i);
      ++children[node.parent];
    }
    if (node.leaf != FamilyTree::none) ++leaves.at(node.leaf);
    EXPECT_GE(node.length, 0);
    EXPECT_TRUE(std::isnan(node.support));
  }
  EXPECT_EQ(tree.nodes[0].parent, FamilyTree::none);
  for (std::size_t i = 0; i < children.size(); ++i)
    EXPECT_EQ(children[i], tree.nodes[i].leaf != FamilyTree::none ? 0 : i == 0 ? 3 : 2);
  EXPECT_EQ(std::ranges::count(leaves, 1), static_cast<std::ptrdiff_t>(n));
}

TEST(NeighbourJoining, FindsTheTreeWhosePathsAreGiven) {
  std::mt19937_64 random(1);
  for (std::size_t n = 3; n <= 60; ++n) {
    const Distances given = path_lengths(random_tree(n, random), n);
    const FamilyTree tree = neighbour_joining(given);
    expect_whole(tree, n);
    const Distances found = path_lengths(tree, n);
    for (std::size_t p = 0; p < given.value.size(); ++p)
      ASSERT_NEAR(found.value[p], given.value[p], 1e-9) << n;
  }
}

TEST(NeighbourJoining, TheOrderOfThingsIsNoEvidence) {
  std::mt19937_64 random(2);
  constexpr std::size_t n = 40;
  Distances given = path_lengths(random_tree(n, random), n);
  std::uniform_real_distribution<double> noise(0.95, 1.05);
  for (double& d : given.value) d *= noise(random);
  std::vector<std::size_t> other(n);
  std::iota(other.begin(), other.end(), 0U);
  std::ranges::shuffle(other, random);
  Distances shuffled(n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = i + 1; j < n; ++j) shuffled.at(i, j) = given(other[i], other[j]);
  const Distances a = path_lengths(neighbour_joining(given), n);
  const Distances b = path_lengths(neighbour_joining(shuffled), n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = i + 1; j < n; ++j) ASSERT_NEAR(b(i, j), a(other[i], other[j]), 1e-9);
}

TEST(NeighbourJoining, EqualPairsAreJoinedByIndex) {
  const FamilyTree tree = neighbour_joining(Distances(6, 1));
  expect_whole(tree, 6);
  // 0 joins 1, then 2, then 3; children stand by the smallest thing below them.
  std::vector<std::uint32_t> leaves;
  for (const FamilyTree::Node& node : tree.nodes)
    if (node.leaf != FamilyTree::none) {
      leaves.push_back(node.leaf);
      EXPECT_NEAR(node.length, 0.5, 1e-15);
    } else {
      EXPECT_NEAR(node.length, 0, 1e-15);
    }
  EXPECT_EQ(leaves, (std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5}));
}

TEST(NeighbourJoining, CopiesAreBranchesOfLengthZero) {
  std::mt19937_64 random(3);
  constexpr std::size_t n = 10;
  const Distances nine = path_lengths(random_tree(n, random), n);
  Distances given(2 * n);
  for (std::size_t i = 0; i < 2 * n; ++i)
    for (std::size_t j = i + 1; j < 2 * n; ++j) given.at(i, j) = nine(i % n, j % n);
  const FamilyTree tree = neighbour_joining(given);
  expect_whole(tree, 2 * n);
  const Distances found = path_lengths(tree, 2 * n);
  for (std::size_t p = 0; p < given.value.size(); ++p) ASSERT_NEAR(found.value[p], given.value[p], 1e-9);
}

TEST(NeighbourJoining, ANegativeBranchGivesItsDifferenceToItsSibling) {
  // 0 is nearer to both others than they allow: the free branches are -0.1, 0.4 and 0.9.
  Distances given(3);
  given.at(0, 1) = 0.3;
  given.at(0, 2) = 0.8;
  given.at(1, 2) = 1.3;
  const FamilyTree star = neighbour_joining(given);
  ASSERT_EQ(star.nodes.size(), 4U);
  EXPECT_EQ(star.nodes[1].length, 0);
  EXPECT_NEAR(star.nodes[2].length, 0.3, 1e-15);
  EXPECT_NEAR(star.nodes[3].length, 0.8, 1e-15);
  // Of 0 and 1 at 0.1 from each other, 0 is nearer to 2 and 3 by 0.3: free branches -0.1 and 0.2.
  Distances four(4, 1);
  four.at(0, 1) = 0.1;
  four.at(1, 2) = four.at(1, 3) = 1.3;
  four.at(2, 3) = 0.5;
  const Distances found = path_lengths(neighbour_joining(four), 4);
  EXPECT_NEAR(found(0, 1), 0.1, 1e-15);
  EXPECT_NEAR(found(1, 2) - found(0, 2), 0.1, 1e-15);
}

TEST(NeighbourJoining, FewThings) {
  EXPECT_TRUE(neighbour_joining(Distances(0)).nodes.empty());
  const FamilyTree one = neighbour_joining(Distances(1));
  ASSERT_EQ(one.nodes.size(), 1U);
  EXPECT_EQ(one.nodes[0].leaf, 0U);
  const FamilyTree two = neighbour_joining(Distances(2, 0.5));
  ASSERT_EQ(two.nodes.size(), 3U);
  EXPECT_EQ(two.nodes[0].leaf, FamilyTree::none);
  EXPECT_EQ(two.nodes[1].length, 0.25);
  EXPECT_EQ(two.nodes[2].length, 0.25);
}

TEST(NeighbourJoining, RefusesWhatIsNoDistance) {
  for (const double bad : {std::nan(""), -0.1, static_cast<double>(INFINITY)})
    for (const std::size_t n : {2, 3, 9}) {
      Distances distances(n, 1);
      distances.at(0, n - 1) = bad;
      EXPECT_THROW(neighbour_joining(distances), std::invalid_argument) << bad;
    }
}

}  // namespace
}  // namespace stemma
