// Does a line of progress say what is known, and nothing else?
#include "pipeline/progress_words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace stemma {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t one_gib = std::uint64_t{1} << 30;

WorkState half_way() {
  return {.items = 4212,
          .items_total = 7752,
          .bytes = 412'000'000'000,
          .bytes_total = 760'000'000'000,
          .failed = 2,
          .elapsed = 412,
          .eta = 370,
          .time_left = 760,
          .longest = "acme-7b layers/41/mlp.down",
          .longest_ranks = 16,
          .longest_seconds = 38,
          .peak_memory = one_gib * 5 / 2,
          .memory_per_rank = 3 * one_gib};
}

TEST(ProgressLine, SaysAll) {
  EXPECT_EQ(progress_line(half_way()),
            "4,212/7,752 items 54 %  412 GB of 760 GB  1.0 GB/s  eta 00:06:10  left 00:12:40  now acme-7b "
            "layers/41/mlp.down (16 ranks, 38.0 s)  mem 2.5 GiB of 3.0 GiB  failed 2");
}

TEST(ProgressLine, SaysNothingThatIsNotKnown) {
  EXPECT_EQ(progress_line({.items_total = 3, .bytes_total = 1000, .elapsed = 1}),
            "0/3 items 0 %  0 B of 1.0 kB  0 B/s");
  EXPECT_EQ(progress_line({.failed = 0}), "under way  failed 0");
  EXPECT_EQ(progress_line({.unit = "pairs", .items = 5, .items_total = 20, .elapsed = 90, .eta = 270}),
            "5/20 pairs 25 %  eta 00:04:30");
}

TEST(ProgressLine, CountsDownInTheLastHourOnly) {
  WorkState state = half_way();
  state.time_left = 3601;
  EXPECT_THAT(progress_line(state), Not(HasSubstr("left")));
  state.time_left = 3599;
  EXPECT_THAT(progress_line(state), HasSubstr("left 00:59:59"));
  state.time_left = -5;
  EXPECT_THAT(progress_line(state), HasSubstr("left 00:00:00"));
}

TEST(ProgressLine, NamesOfStrangersStayOnTheirLine) {
  WorkState state = half_way();
  state.longest = "a\r\n\x1b[2Jb";
  for (const std::string& line : {progress_line(state), progress_bar("work", state, 200)})
    for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line;
}

TEST(ProgressBar, FitsItsTerminalAndCutsNoCharacter) {
  WorkState state = half_way();
  EXPECT_EQ(progress_bar("work", state, 200),
            "work  [==========>          ] 4,212/7,752  54 %  1.0 GB/s  eta 00:06:10  left 00:12:40  acme-7b "
            "layers/41/mlp.down");
  EXPECT_EQ(progress_bar("work", state, 20), "work  [==========> ");
  EXPECT_EQ(progress_bar("survey", {.unit = "models", .items = 1, .items_total = 4}, 200),
            "survey  [=====>               ] 1/4 models  25 %");
  state.longest = "modell-\xc3\xa4\xc3\xa4";
  for (std::size_t columns = 0; columns < 120; ++columns) {
    const std::string line = progress_bar("work", state, columns);
    EXPECT_LE(line.size(), columns == 0 ? 0 : columns - 1);
    EXPECT_TRUE(line.empty() || line.back() != '\xc3') << line;
  }
  state.items = 9000;  // more than planned: the bar stays one
  EXPECT_THAT(progress_bar("work", state, 200), HasSubstr("[====================>] 9,000/7,752"));
}

TEST(SecondsToGo, AreAbsentRatherThanWrong) {
  const PredictedWork work{.total = 100, .ended = 25, .done_here = 25, .actual = 50};
  EXPECT_EQ(seconds_to_go(work, 0, 29.9), std::nullopt);
  EXPECT_EQ(seconds_to_go({.total = 100}, 10, 60), std::nullopt);  // nothing has ended
  EXPECT_EQ(seconds_to_go({}, 0, 60), std::nullopt);
  EXPECT_DOUBLE_EQ(*seconds_to_go(work, 0, 60), 180);  // a quarter took a minute
  EXPECT_DOUBLE_EQ(*seconds_to_go(work, 25, 60), 60);  // half of it is behind us
  EXPECT_DOUBLE_EQ(*seconds_to_go(work, 80, 60), 0);
}

TEST(SecondsToGo, WorkUnderWayCountsAtThePaceOfWhatEnded) {
  const PredictedWork twice_as_slow{.total = 100, .ended = 25, .done_here = 25, .actual = 50};
  EXPECT_DOUBLE_EQ(share_done(twice_as_slow, 8, 10, 1), 4);
  EXPECT_DOUBLE_EQ(share_done(twice_as_slow, 8, 10, 3), 12);
  EXPECT_DOUBLE_EQ(share_done(twice_as_slow, 1000, 10, 3), 30);  // never more than all of it
  EXPECT_DOUBLE_EQ(share_done({.total = 100}, 8, 10, 1), 0);
}

/// A run of equal items on four ranks, each of which takes three times what was predicted: whenever it is
/// asked, the rest is what the rest takes.
TEST(SecondsToGo, IsRightWhenPredictionsAreWrongAlike) {
  constexpr double predicted = 10, actual = 30, items = 40;
  for (double elapsed = actual; elapsed < items / 4 * actual; elapsed += 7) {
    const double rounds = std::floor(elapsed / actual);
    const PredictedWork work{.total = items * predicted,
                             .ended = 4 * rounds * predicted,
                             .done_here = 4 * rounds * predicted,
                             .actual = 4 * rounds * actual};
    const double under_way = 4 * share_done(work, elapsed - rounds * actual, predicted, 1);
    EXPECT_NEAR(*seconds_to_go(work, under_way, elapsed), items / 4 * actual - elapsed, 1e-6) << elapsed;
  }
}

}  // namespace
}  // namespace stemma
