// Do values become the right places, ticks round numbers, and labels lie on nothing else?
#include "io/report/page/chart.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <random>

namespace stemma {
namespace {

using ::testing::DoubleNear;
using ::testing::Pointwise;

TEST(Scale, StraightAndLogarithmic) {
  const Scale straight{.low = -1, .high = 3, .from = 100, .to = 20};
  EXPECT_DOUBLE_EQ(straight(-1), 100);
  EXPECT_DOUBLE_EQ(straight(1), 60);
  EXPECT_DOUBLE_EQ(straight(3), 20);
  const Scale log{.low = 0.01, .high = 100, .from = 0, .to = 40, .log = true};
  EXPECT_DOUBLE_EQ(log(0.01), 0);
  EXPECT_DOUBLE_EQ(log(1), 20);
  EXPECT_DOUBLE_EQ(log(10), 30);
  EXPECT_FALSE(std::isfinite(log(0)));
}

TEST(Scale, TicksAreRoundAndWithin) {
  EXPECT_THAT((Scale{.low = 0, .high = 1}).ticks(5),
              Pointwise(DoubleNear(1e-12), {0.0, 0.2, 0.4, 0.6, 0.8, 1.0}));
  EXPECT_THAT((Scale{.low = -3, .high = 12}).ticks(3), Pointwise(DoubleNear(1e-12), {0.0, 5.0, 10.0}));
  EXPECT_THAT((Scale{.low = 0.9, .high = 1200, .log = true}).ticks(9),
              Pointwise(DoubleNear(1e-9), {1.0, 10.0, 100.0, 1000.0}));
  EXPECT_THAT((Scale{.low = 2, .high = 8, .log = true}).ticks(3),
              Pointwise(DoubleNear(1e-12), {2.0, 4.0, 6.0, 8.0}));
  std::mt19937_64 random(1);
  for (int k = 0; k < 1000; ++k) {
    const double low = std::exp(static_cast<double>(random() % 20)) * (k % 2 == 0 ? 1 : -1),
                 high = low + std::exp(static_cast<double>(random() % 30) - 10);
    const Scale scale{.low = low, .high = high};
    const std::vector<double> ticks = scale.ticks(5);
    EXPECT_GE(ticks.size(), 1U) << low << " " << high;
    EXPECT_LE(ticks.size(), 6U) << low << " " << high;
    for (const double tick : ticks) {
      EXPECT_GE(tick, low - 1e-6 * (high - low));
      EXPECT_LE(tick, high + 1e-6 * (high - low));
    }
  }
}

TEST(ScaleAround, HoldsAllValuesEvenOneOrNone) {
  const Scale some = scale_around({3, std::nan(""), -1}, 0, 10, false);
  EXPECT_LT(some.low, -1);
  EXPECT_GT(some.high, 3);
  for (const std::vector<double>& values : {std::vector<double>{}, {5}, {0}, {0, 0}}) {
    const Scale scale = scale_around(values, 0, 10, false);
    EXPECT_LT(scale.low, scale.high);
    for (const double value : values) EXPECT_TRUE(scale(value) > 0 && scale(value) < 10);
  }
  const Scale log = scale_around({0, -2, 4}, 0, 10, true);  // what has no logarithm does not count
  EXPECT_GT(log.low, 0);
  EXPECT_TRUE(log(4) > 0 && log(4) < 10);
  EXPECT_GT(scale_around({0}, 0, 10, true).low, 0);
}

TEST(TickText, IsShort) {
  EXPECT_EQ(tick_text(0), "0");
  EXPECT_EQ(tick_text(-0.0), "0");
  EXPECT_EQ(tick_text(0.25), "0.25");
  EXPECT_EQ(tick_text(0.1 + 0.2), "0.3");
  EXPECT_EQ(tick_text(1e-5), "1e-05");
  EXPECT_EQ(tick_text(2'000'000), "2e+06");
}

TEST(Paths, BreakAtWhatIsNotFinite) {
  const Frame frame{.left = 0,
                    .top = 0,
                    .width = 10,
                    .height = 10,
                    .x = {.low = 0, .high = 10, .from = 0, .to = 10},
                    .y = {.low = 0, .high = 10, .from = 10, .to = 0}};
  EXPECT_EQ(line_path(frame, {{0, 0}, {1, 5}, {2, std::nan("")}, {3, 10}, {4, 10}}),
            "M0 10.0L1 5.0M3 0.0L4 0.0");
  EXPECT_EQ(dots_path(frame, {{0, 0}, {0, 0.05}, {std::nan(""), 5}, {3, 10}}), "M0.0 10.0h0M3.0 0.0h0");
}

TEST(LabelRoom, TakesOnlyWhatIsFree) {
  LabelRoom room;
  EXPECT_TRUE(room.take(0, 0, 10, 10));
  EXPECT_FALSE(room.take(9, 9, 10, 10));
  EXPECT_TRUE(room.take(10, 0, 10, 10));  // edges may touch
  EXPECT_FALSE(room.take(2, 2, 1, 1));
  EXPECT_TRUE(room.take(9, 10, 10, 10));
  EXPECT_FALSE(room.take(9, 19, 10, 10));
}

TEST(TextWidth, CountsCharactersAndWideOnesMore) {
  EXPECT_DOUBLE_EQ(text_width("äbc", 10), text_width("abc", 10));
  EXPECT_GE(text_width("\u6f22\u5b57", 10), 20);  // as wide as they are high
  EXPECT_GE(text_width("\U0001f333", 10), 10);
}

}  // namespace
}  // namespace stemma
