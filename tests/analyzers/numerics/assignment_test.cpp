// Is the assignment the best one: of all that there are, or by the proof that comes with it?
#include "analyzers/numerics/assignment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <set>

#include "io/model/simd.hpp"

namespace stemma {
namespace {

using testing::ElementsAre;

struct Scores {
  std::size_t rows, columns, stride;
  std::vector<float> values;

  ScoreView view() const { return {values, rows, columns, stride}; }
  float at(std::size_t i, std::size_t j) const { return values[i * stride + j]; }
};

/// What lies between the rows would win if it counted.
template <typename Draw>
Scores scores_of(std::size_t rows, std::size_t columns, Draw draw, std::size_t gap = 0) {
  Scores out{rows, columns, columns + gap, std::vector<float>(rows * (columns + gap), 1e30F)};
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) out.values[i * out.stride + j] = draw(i, j);
  return out;
}

double best_of_all(const Scores& scores) {
  std::vector<std::size_t> order(std::max(scores.rows, scores.columns));
  std::iota(order.begin(), order.end(), 0U);
  double best = -INFINITY;
  do {
    double total = 0;
    for (std::size_t i = 0; i < scores.rows; ++i)
      if (order[i] < scores.columns) total += static_cast<double>(scores.at(i, order[i]));
    best = std::max(best, total);
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

/// The matching is one, and no other can be better, whatever computed the prices.
void expect_proven(const Scores& scores, const Assignment& found) {
  ASSERT_EQ(found.column_of_row.size(), scores.rows);
  ASSERT_EQ(found.row_price.size(), scores.rows);
  ASSERT_EQ(found.column_price.size(), scores.columns);
  std::set<std::int32_t> used;
  double total = 0, largest = 0;
  for (std::size_t i = 0; i < scores.rows; ++i) {
    const std::int32_t j = found.column_of_row[i];
    if (j == unmatched) {
      EXPECT_EQ(found.row_price[i], 0);
      continue;
    }
    ASSERT_LT(static_cast<std::size_t>(j), scores.columns);
    EXPECT_TRUE(used.insert(j).second);
    total += static_cast<double>(scores.at(i, static_cast<std::size_t>(j)));
  }
  EXPECT_EQ(used.size(), std::min(scores.rows, scores.columns));
  double excess = 0, prices = 0;
  for (std::size_t i = 0; i < scores.rows; ++i)
    for (std::size_t j = 0; j < scores.columns; ++j) {
      const double score = static_cast<double>(scores.at(i, j));
      largest = std::max(largest, std::abs(score));
      excess = std::max(excess, score - found.row_price[i] - found.column_price[j]);
    }
  EXPECT_LE(excess, 1e-13 * largest);
  for (const auto* side : {&found.row_price, &found.column_price})
    for (const double price : *side) {
      prices += price;
      EXPECT_TRUE(side->size() == used.size() || price >= 0) << price;
    }
  for (std::size_t j = 0; j < scores.columns; ++j)
    EXPECT_TRUE(used.contains(static_cast<std::int32_t>(j)) || found.column_price[j] == 0) << j;
  const double rounding = 1e-13 * largest * static_cast<double>(scores.rows + scores.columns);
  EXPECT_NEAR(found.total, total, rounding);
  EXPECT_NEAR(found.total, prices, rounding);
}

TEST(Assignment, IsTheBestOfAllMatchings) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (std::size_t rows = 1; rows <= 8; ++rows)
    for (std::size_t columns = 1; columns <= 8; ++columns)
      for (int kind = 0; kind < 4; ++kind) {
        const auto draw = [&](std::size_t, std::size_t) {
          return kind < 2 ? normal(random) : std::floor(normal(random) * static_cast<float>(kind - 1));
        };
        const Scores scores = scores_of(rows, columns, draw, kind == 1 ? 3 : 0);
        const Assignment found = best_assignment(scores.view());
        EXPECT_NEAR(found.total, best_of_all(scores), 1e-12) << rows << " x " << columns;
        expect_proven(scores, found);
      }
}

TEST(Assignment, ProvesItselfWhereNobodyCanTryAll) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  for (const auto& [rows, columns] : std::initializer_list<std::pair<std::size_t, std::size_t>>{
           {600, 600}, {129, 129}, {128, 700}, {700, 128}, {1, 1000}, {1000, 1}, {501, 499}, {255, 257}})
    for (int kind = 0; kind < 4; ++kind) {
      // Gaussian; few different values; products, for which bids are tiny; most rows and columns twice.
      const auto draw = [&](std::size_t i, std::size_t j) {
        if (kind == 2) return static_cast<float>(i * j);
        return kind == 1 ? std::floor(normal(random) * 2) : normal(random);
      };
      Scores scores = scores_of(rows, columns, draw, 5);
      for (std::size_t i = 0; kind == 3 && i < rows; ++i)
        for (std::size_t j = 0; j < columns; ++j)
          scores.values[i * scores.stride + j] = scores.at(i / 2, j / 2);
      SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(columns) + ", " + std::to_string(kind));
      expect_proven(scores, best_assignment(scores.view()));
    }
}

TEST(Assignment, FindsAHiddenPermutation) {
  constexpr std::size_t n = 700;
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<std::int32_t> hidden(n);
  std::iota(hidden.begin(), hidden.end(), 0);
  std::shuffle(hidden.begin(), hidden.end(), random);
  const Scores scores = scores_of(n, n, [&](std::size_t i, std::size_t j) {
    return 0.1F * normal(random) + (hidden[i] == static_cast<std::int32_t>(j) ? 1.0F : 0.0F);
  });
  EXPECT_EQ(best_assignment(scores.view()).column_of_row, hidden);
}

TEST(Assignment, OfEqualScoresIsTheDiagonal) {
  for (const float value : {0.0F, -0.25F, 3e38F})
    for (const std::size_t n : {1U, 2U, 100U, 300U}) {
      const Scores scores = scores_of(n, n, [&](std::size_t, std::size_t) { return value; });
      std::vector<std::int32_t> diagonal(n);
      std::iota(diagonal.begin(), diagonal.end(), 0);
      const Assignment found = best_assignment(scores.view());
      EXPECT_EQ(found.column_of_row, diagonal);
      expect_proven(scores, found);
    }
}

TEST(Assignment, OfNothing) {
  EXPECT_TRUE(best_assignment({}).column_of_row.empty());
  EXPECT_THAT(best_assignment({{}, 2, 0, 0}).column_of_row, ElementsAre(unmatched, unmatched));
  EXPECT_TRUE(best_assignment({{}, 0, 3, 3}).column_of_row.empty());
  EXPECT_THAT(best_assignment({{}, 0, 3, 3}).column_price, ElementsAre(0, 0, 0));
}

TEST(Assignment, RefusesWhatIsNoScore) {
  for (const float bad : {NAN, INFINITY, -INFINITY})
    for (const std::size_t at : {0U, 50U, 99U}) {
      Scores scores =
          scores_of(10, 10, [](std::size_t i, std::size_t j) { return static_cast<float>(i + j); });
      scores.values[at] = bad;
      EXPECT_THROW(best_assignment(scores.view()), std::invalid_argument);
      EXPECT_THROW(best_assignment({scores.values, 20, 5, 5}), std::invalid_argument);
    }
  const std::vector<float> six(6);
  EXPECT_THROW(best_assignment({six, 3, 3, 3}), std::invalid_argument);
  EXPECT_THROW(best_assignment({six, 2, 3, 2}), std::invalid_argument);
  EXPECT_THROW(best_assignment({six, std::size_t{1} << 31, 0, 0}), std::invalid_argument);
}

TEST(Assignment, EveryInstructionSetAndStrideDecideTiesAlike) {
  std::mt19937 random(4);
  for (int trial = 0; trial < 20; ++trial) {
    const std::size_t rows = 150 + random() % 150, columns = 150 + random() % 150;
    const unsigned values = 2 + static_cast<unsigned>(trial);
    const Scores scores = scores_of(
        rows, columns, [&](std::size_t, std::size_t) { return static_cast<float>(random() % values); });
    const Scores apart = scores_of(
        rows, columns, [&](std::size_t i, std::size_t j) { return scores.at(i, j); }, 1 + random() % 9);
    const Assignment usual = best_assignment(scores.view());
    expect_proven(scores, usual);
    for (const std::string& target : simd_targets()) {
      const ForcedSimdTarget forced(target);
      const Assignment other = best_assignment(apart.view());
      EXPECT_EQ(other.column_of_row, usual.column_of_row) << target;
      EXPECT_EQ(other.row_price, usual.row_price) << target;
      EXPECT_EQ(other.column_price, usual.column_price) << target;
    }
  }
}

}  // namespace
}  // namespace stemma
