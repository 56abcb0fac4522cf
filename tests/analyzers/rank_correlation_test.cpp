// Is Spearman's correlation with places that of its definition, ties and refusals included?
#include "analyzers/rank_correlation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace stemma {
namespace {

/// Ranks by counting, places as they are, then Pearson's correlation.
double by_definition(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  double x_sum = 0, y_sum = 0, xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    double below = 0, equal = 0;
    for (const double v : values) below += v < values[i], equal += v == values[i];
    const double x = below + (equal + 1) / 2, y = static_cast<double>(i);
    x_sum += x, y_sum += y, xx += x * x, yy += y * y, xy += x * y;
  }
  return (n * xy - x_sum * y_sum) / std::sqrt((n * xx - x_sum * x_sum) * (n * yy - y_sum * y_sum));
}

TEST(RankCorrelation, FollowsItsDefinition) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  for (int trial = 0; trial < 400; ++trial) {
    std::vector<double> values(3 + random() % 60);
    const double trend = 0.05 * static_cast<double>(trial % 7);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = normal(random) + trend * static_cast<double>(i);
      if (trial % 2) values[i] = std::floor(values[i]);  // many ties
    }
    const double expected = by_definition(values);
    const double found = rank_correlation_with_place(values);
    if (std::isfinite(expected))
      EXPECT_NEAR(found, expected, 1e-12);
    else
      EXPECT_TRUE(std::isnan(found));
  }
}

TEST(RankCorrelation, OfOrderedLists) {
  EXPECT_DOUBLE_EQ(rank_correlation_with_place(std::vector<double>{1, 5, 6, 100}), 1);
  EXPECT_DOUBLE_EQ(rank_correlation_with_place(std::vector<double>{9, 8, -3, -1e300}), -1);
  EXPECT_DOUBLE_EQ(rank_correlation_with_place(std::vector<double>{1, 2, 1}), 0);
  EXPECT_DOUBLE_EQ(rank_correlation_with_place(std::vector<double>{1, 1, 2}), std::sqrt(0.75));
}

TEST(RankCorrelation, SaysNothingOfTooLittle) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN(),
                   infinite = std::numeric_limits<double>::infinity();
  for (const std::vector<double>& values :
       {std::vector<double>{}, {1, 2}, {4, 4, 4, 4}, {1, nan, 3}, {1, 2, infinite}})
    EXPECT_TRUE(std::isnan(rank_correlation_with_place(values)));
}

}  // namespace
}  // namespace stemma
