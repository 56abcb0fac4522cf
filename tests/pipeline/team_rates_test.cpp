// Are the two numbers of a team found again in timings that were made from them?
#include "pipeline/team_rates.hpp"

#include <gtest/gtest.h>

namespace stemma {
namespace {

PairTiming timing(std::uint64_t k, double alone, double efficiency, double step) {
  return {k, alone, alone / (2 * efficiency) + static_cast<double>(k) * step};
}

TEST(TeamRates, ExplainBothTimings) {
  for (const double efficiency : {0.3, 0.7, 1.0})
    for (const double step : {2e-6, 25e-6, 1e-3}) {
      const TeamRates rates =
          team_rates_of(timing(1024, 0.08, efficiency, step), timing(2048, 0.6, efficiency, step));
      EXPECT_NEAR(rates.efficiency, efficiency, 1e-9);
      EXPECT_NEAR(rates.step_seconds, step, 1e-12);
    }
}

TEST(TeamRates, StayWithinReasonWhateverTheClockSays) {
  const PairTiming odd[][2] = {{{1024, 0.1, 0}, {2048, 0.6, 0}},      // no time at all
                               {{1024, 0.1, 100}, {2048, 0.6, 0.1}},  // disturbed
                               {{1024, 0.1, 0.1}, {2048, 0.2, 0.2}},  // proportional to k: no way to tell
                               {{1024, 0.1, 0.01}, {2048, 0.6, 100}}};
  for (const auto& pair : odd) {
    const TeamRates rates = team_rates_of(pair[0], pair[1]);
    EXPECT_GE(rates.efficiency, 0.05);
    EXPECT_LE(rates.efficiency, 1);
    EXPECT_GE(rates.step_seconds, 1e-6);
    EXPECT_LE(rates.step_seconds, 1e-2);
  }
}

TEST(TeamRates, ADisturbedSmallTimingLeavesTheLargeOneRight) {
  const PairTiming large = timing(2048, 0.6, 0.5, 1e-6);
  const TeamRates rates = team_rates_of({1024, 0.08, 0.01}, large);
  EXPECT_NEAR(large.alone / (2 * rates.efficiency) + 2048 * rates.step_seconds, large.together, 1e-9);
}

}  // namespace
}  // namespace stemma
