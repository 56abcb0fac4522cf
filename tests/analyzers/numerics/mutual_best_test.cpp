// Are mutual preferences found, from any tiles, and never where two are equal?
#include "analyzers/numerics/mutual_best.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "io/model/simd.hpp"

namespace stemma {
namespace {

using testing::Each;
using testing::ElementsAre;

/// By definition: the only greatest of its row, and the only greatest of its column.
std::vector<std::int32_t> by_definition(const std::vector<float>& s, std::size_t rows, std::size_t columns) {
  std::vector<std::int32_t> out(rows, unmatched);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) {
      bool only = true;
      for (std::size_t k = 0; k < columns; ++k)
        only = only && (k == j || s[i * columns + k] < s[i * columns + j]);
      for (std::size_t k = 0; k < rows; ++k)
        only = only && (k == i || s[k * columns + j] < s[i * columns + j]);
      if (only) out[i] = static_cast<std::int32_t>(j);
    }
  return out;
}

TEST(MutualBest, FollowsItsDefinitionFromAnyTiles) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (int trial = 0; trial < 60; ++trial) {
    const std::size_t rows = 1 + random() % 40, columns = 1 + random() % 40;
    std::vector<float> scores(rows * columns);
    for (float& x : scores) x = trial % 2 == 0 ? normal(random) : std::floor(normal(random) * 4);
    const auto expected = by_definition(scores, rows, columns);
    for (const std::string& target : simd_targets()) {
      const ForcedSimdTarget forced(target);
      EXPECT_EQ(mutual_best({scores, rows, columns, columns}), expected);
      const std::size_t high = 1 + random() % 50, wide = 1 + random() % 50;
      EXPECT_EQ(mutual_best(rows, columns, high, wide,
                            [&](const Tile& tile, std::span<float> out) {
                              for (std::size_t i = 0; i < tile.rows; ++i)
                                for (std::size_t j = 0; j < tile.columns; ++j)
                                  out[i * tile.columns + j] =
                                      scores[(tile.row + i) * columns + tile.column + j];
                            }),
                expected);
    }
    MutualBest backwards(rows, columns);  // element by element, each a view into the whole
    for (std::size_t at = scores.size(); at-- > 0;)
      backwards.add(at / columns, at % columns, {std::span(scores).subspan(at), 1, 1, columns});
    EXPECT_EQ(backwards.partners(), expected);
  }
}

TEST(MutualBest, RejectsTies) {
  const std::vector<float> row_tie{5, 5, 0, 1}, column_tie{5, 0, 5, 1}, zeros(4), signs{0.0F, -0.0F, -1, -2};
  EXPECT_THAT(mutual_best({row_tie, 2, 2, 2}), ElementsAre(unmatched, unmatched));
  EXPECT_THAT(mutual_best({column_tie, 2, 2, 2}), ElementsAre(unmatched, unmatched));
  EXPECT_THAT(mutual_best({zeros, 2, 2, 2}), Each(unmatched));
  EXPECT_THAT(mutual_best({signs, 2, 2, 2}), Each(unmatched));
  // A tie that is overtaken is none.
  const std::vector<float> overtaken{5, 5, 6, 1, 1, 1};
  EXPECT_THAT(mutual_best({overtaken, 2, 3, 3}), ElementsAre(2, unmatched));
}

TEST(MutualBest, KnowsItsLimits) {
  EXPECT_TRUE(mutual_best(ScoreView{}).empty());
  EXPECT_THAT(mutual_best({{}, 2, 0, 0}), ElementsAre(unmatched, unmatched));
  const std::vector<float> one{-3};
  EXPECT_THAT(mutual_best({one, 1, 1, 1}), ElementsAre(0));
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    const std::vector<float> scores{1, bad, 2, 3};
    EXPECT_THROW(mutual_best({scores, 2, 2, 2}), std::invalid_argument);
  }
  MutualBest best(2, 2);
  EXPECT_THROW(best.add(1, 0, {std::vector<float>(4), 2, 2, 2}), std::invalid_argument);
  best.add(0, 0, {one, 1, 1, 1});
  EXPECT_THROW(best.partners(), std::logic_error);
  EXPECT_THROW(mutual_best(2, 2, 0, 1, [](const Tile&, std::span<float>) {}), std::invalid_argument);
  EXPECT_THROW(MutualBest(1, std::size_t{1} << 31), std::invalid_argument);
}

TEST(Agreement, CountsRowsThatBothMatch) {
  const std::vector<std::int32_t> first{0, 1, unmatched, 3, unmatched}, second{0, 2, 1, unmatched, unmatched};
  EXPECT_EQ(agreement(first, second).both, 2U);
  EXPECT_EQ(agreement(first, second).same, 1U);
  EXPECT_THROW(agreement(first, std::span(second).first(4)), std::invalid_argument);
}

}  // namespace
}  // namespace stemma
