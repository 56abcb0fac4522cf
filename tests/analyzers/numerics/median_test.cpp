// Is the median the middle, whatever the order and whatever is no number?
#include "analyzers/numerics/median.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace stemma {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST(Median, OfOddAndEvenCounts) {
  EXPECT_EQ(median({3}), 3);
  EXPECT_EQ(median({9, -1, 4}), 4);
  EXPECT_EQ(median({8, 1}), 4.5);
  EXPECT_EQ(median({7, 1, 100, 2}), 4.5);
  EXPECT_EQ(median({5, 5, 5, 1, 9, 5}), 5);
}

TEST(Median, LeavesOutWhatIsNoNumber) {
  EXPECT_EQ(median({nan, 2, nan, 6, 1}), 2);
  EXPECT_TRUE(std::isnan(median({})));
  EXPECT_TRUE(std::isnan(median({nan, nan})));
}

}  // namespace
}  // namespace stemma
