// Does the earlier of two clocks end a run, and the margin before it?
#include "pipeline/time_limit.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace stemma {
namespace {

constexpr double forever = std::numeric_limits<double>::infinity();

TEST(TimeLimit, EndsBeforeItsMargin) {
  double now = 1000;
  const TimeLimit limit(1100, 30, [&] { return now; });
  EXPECT_NEAR(limit.seconds_left(), 70, 1);
  now = 1090;
  EXPECT_NEAR(limit.seconds_left(), -20, 1);
  EXPECT_FALSE(TimeLimit::over());
  EXPECT_EQ(limit.reason(), "its time ends at 1970-01-01T00:18:20Z");
}

TEST(TimeLimit, PeopleSeeItWithoutTheMargin) {
  double now = 1000;
  const TimeLimit limit(1100, 30, [&] { return now; });
  EXPECT_NEAR(limit.seconds_to_end(), 100, 1);
  now = 1090;
  EXPECT_NEAR(limit.seconds_to_end(), 10, 1);
  EXPECT_EQ(limit.end_text(), "1970-01-01T00:18:20Z");
  EXPECT_EQ(TimeLimit().seconds_to_end(), forever);
  EXPECT_EQ(TimeLimit().end_text(), "");
}

TEST(TimeLimit, AClockThatIsSetCanOnlyMakeItShorter) {
  double now = 10'000;
  const TimeLimit limit(10'100, 0, [&] { return now; });
  now -= 3600;
  EXPECT_NEAR(limit.seconds_left(), 100, 1);
  now += 2 * 3600;
  EXPECT_NEAR(limit.seconds_left(), 100 - 3600, 1);
}

TEST(TimeLimit, ASlowDiskMakesTheMarginLonger) {
  TimeLimit limit(1000, 30, [] { return 0.0; });
  limit.learn_sync(1);
  EXPECT_NEAR(limit.seconds_left(), 970, 1);
  limit.learn_sync(40);
  EXPECT_NEAR(limit.seconds_left(), 1000 - 90, 1);
  limit.learn_sync(1);
  EXPECT_NEAR(limit.seconds_left(), 1000 - 90, 1);
}

TEST(TimeLimit, IsTakenFromTheJobWhereNothingElseIsSaid) {
  unsetenv("SLURM_JOB_END_TIME");
  EXPECT_EQ(limit_of({}, 5).seconds_left(), forever);
  const auto soon = static_cast<double>(std::time(nullptr)) + 600;
  setenv("SLURM_JOB_END_TIME", std::to_string(static_cast<long long>(soon)).c_str(), 1);
  EXPECT_NEAR(limit_of({}, 60).seconds_left(), 540, 3);
  EXPECT_EQ(limit_of({Moment::Kind::none, 0}, 60).seconds_left(), forever);
  EXPECT_NEAR(limit_of({Moment::Kind::after, 100}, 60).seconds_left(), 40, 3);
  EXPECT_NEAR(limit_of({Moment::Kind::at, soon - 300}, 60).seconds_left(), 240, 3);
  EXPECT_NEAR(limit_of({Moment::Kind::at, soon + 300}, 60).seconds_left(), 540, 3);
  setenv("SLURM_JOB_END_TIME", "Unknown", 1);
  EXPECT_EQ(limit_of({}, 5).seconds_left(), forever);
  unsetenv("SLURM_JOB_END_TIME");
}

}  // namespace
}  // namespace stemma
