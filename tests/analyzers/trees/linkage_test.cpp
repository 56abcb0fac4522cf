// Does average linkage join what is nearest, also among equals, and stand things side by side as it says?
#include "analyzers/trees/linkage.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace stemma {
namespace {

using Things = std::vector<std::uint32_t>;

double mean_distance(const Distances& d, const Things& a, const Things& b) {
  double sum = 0;
  for (const auto i : a)
    for (const auto j : b) sum += d(i, j);
  return sum / static_cast<double>(a.size() * b.size());
}

/// Replays all merges by the definition: each joins two groups of the smallest mean distance, which is its
/// height, and its things stand side by side in the order, left before right.
void expect_by_definition(const Distances& d, const Dendrogram& found) {
  const std::size_t n = d.n;
  ASSERT_EQ(found.n, n);
  ASSERT_EQ(found.merges.size(), n - 1);
  std::vector<Things> groups;
  std::vector<std::uint32_t> left;
  for (std::uint32_t i = 0; i < n; ++i) {
    groups.push_back({i});
    left.push_back(i);
  }
  for (std::uint32_t k = 0; k + 1 < n; ++k) {
    const Dendrogram::Merge& merge = found.merges[k];
    ASSERT_EQ(std::ranges::count(left, merge.left), 1);
    ASSERT_EQ(std::ranges::count(left, merge.right), 1);
    double least = INFINITY;
    for (const auto a : left)
      for (const auto b : left)
        if (a < b) least = std::min(least, mean_distance(d, groups[a], groups[b]));
    ASSERT_NEAR(mean_distance(d, groups[merge.left], groups[merge.right]), least, 1e-12);
    ASSERT_NEAR(merge.height, least, 1e-12);
    ASSERT_GE(merge.height, k > 0 ? found.merges[k - 1].height : 0);
    Things both = groups[merge.left];
    both.insert(both.end(), groups[merge.right].begin(), groups[merge.right].end());
    ASSERT_EQ(merge.size, both.size());
    ASSERT_NE(std::ranges::search(found.order, both).begin(), found.order.end());
    groups.push_back(both);
    std::erase_if(left, [&](std::uint32_t g) { return g == merge.left || g == merge.right; });
    left.push_back(static_cast<std::uint32_t>(n + k));
  }
  EXPECT_EQ(groups.back(), found.order);
}

Distances random_distances(std::size_t n, std::mt19937_64& random, unsigned steps) {
  Distances d(n);
  for (double& x : d.value)
    x = static_cast<double>(random() % steps) / std::max(10.0, static_cast<double>(steps));
  return d;
}

TEST(AverageLinkage, JoinsByTheDefinitionAlsoAmongEquals) {
  std::mt19937_64 random(1);
  for (const std::size_t n : {2, 3, 5, 10, 25})
    for (const unsigned steps : {1U, 2U, 3U, 10U, 1U << 30U}) {
      const Distances d = random_distances(n, random, steps);
      const Dendrogram found = average_linkage(d);
      expect_by_definition(d, found);
      const Dendrogram again = average_linkage(d);
      EXPECT_EQ(again.order, found.order);
    }
}

TEST(AverageLinkage, MeansThatAreEqualButForRoundingKeepTheirOrder) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 400; ++round) {
    const Distances d = random_distances(12, random, 2 + static_cast<unsigned>(round) % 4);
    expect_by_definition(d, average_linkage(d));
  }
}

TEST(AverageLinkage, EqualThingsStayInTheirOrderAndAtTheirHeight) {
  // 0.1 has no exact double: means of equal distances must not drift from it.
  const Dendrogram found = average_linkage(Distances(50, 0.1));
  for (const Dendrogram::Merge& merge : found.merges) EXPECT_EQ(merge.height, 0.1);
  EXPECT_LT(found.order.front(), found.order.back());
}

TEST(AverageLinkage, FacingEndsAreTheNearestOfFourChoices) {
  std::mt19937_64 random(2);
  const Distances d = random_distances(60, random, 1U << 30U);
  const Dendrogram found = average_linkage(d);
  std::vector<Things> groups;
  for (std::uint32_t i = 0; i < d.n; ++i) groups.push_back({i});
  for (const Dendrogram::Merge& merge : found.merges) {
    const Things &a = groups[merge.left], &b = groups[merge.right];
    const double facing = d(a.back(), b.front());
    EXPECT_LE(facing, d(a.back(), b.back()));
    EXPECT_LE(facing, d(a.front(), b.front()));
    EXPECT_LE(facing, d(a.front(), b.back()));
    Things both = a;
    both.insert(both.end(), b.begin(), b.end());
    groups.push_back(both);
  }
  EXPECT_LT(found.order.front(), found.order.back());
}

TEST(AverageLinkage, WhatIsNotKnownIsFar) {
  Distances d(4);
  d.at(0, 1) = 0.2;
  d.at(2, 3) = 0.3;
  const Dendrogram found = average_linkage(d, 5);
  ASSERT_EQ(found.merges.size(), 3U);
  EXPECT_EQ(found.merges[0].height, 0.2);
  EXPECT_EQ(found.merges[1].height, 0.3);
  EXPECT_EQ(found.merges[2].height, 5);
  EXPECT_EQ(found.order, (Things{0, 1, 2, 3}));
  EXPECT_EQ(average_linkage(Distances(2)).merges.at(0).height, 1);
}

TEST(AverageLinkage, FewThings) {
  EXPECT_TRUE(average_linkage(Distances(0)).order.empty());
  EXPECT_TRUE(average_linkage(Distances(1)).merges.empty());
  EXPECT_EQ(average_linkage(Distances(1)).order, Things{0});
}

TEST(AverageLinkage, RefusesWhatIsNoDistance) {
  EXPECT_THROW(average_linkage(Distances(3, -0.5)), std::invalid_argument);
  EXPECT_THROW(average_linkage(Distances(3, INFINITY)), std::invalid_argument);
  EXPECT_THROW(average_linkage(Distances(3), std::nan("")), std::invalid_argument);
}

}  // namespace
}  // namespace stemma
