// Is the rank where the gap is, and does each label need what the table asks for?
#include "analyzers/origin_rank.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

namespace stemma {
namespace {

using Values = std::vector<double>;

TEST(OriginRank, LimitIsTheSmallerOfBoth) {
  EXPECT_EQ(rank_limit(256, 128), 96U);
  EXPECT_EQ(rank_limit(256, 1024), 256U);
  EXPECT_EQ(rank_limit(256, 5), 3U);  // rounded down
  EXPECT_EQ(rank_limit(256, 1), 0U);
}

TEST(OriginRank, LargestRatioWins) {
  const RankReading reading = read_rank(Values{8, 6, 1.5, 1, 0.5, 0.4}, 0.6, 5);
  EXPECT_EQ(reading.rank, 2U);
  EXPECT_EQ(reading.ratio, 4);
  EXPECT_EQ(reading.first, 8);
  EXPECT_EQ(reading.behind, 1.5);
  EXPECT_EQ(reading.significant, 3U);  // above 1.2
  EXPECT_EQ(reading.noise_edge, 0.6);
  EXPECT_EQ(reading.limit, 5U);
}

TEST(OriginRank, NothingIsLookedForBeyondTheLimit) {
  const Values values = {8, 4, 3, 2.5, 1e-9, 1e-9};
  EXPECT_EQ(read_rank(values, 1e-9, 4).rank, 4U);
  EXPECT_EQ(read_rank(values, 1e-9, 3).rank, 1U);
  EXPECT_EQ(read_rank(values, 1e-9, 0).rank, 0U);
  EXPECT_EQ(read_rank(values, 1e-9, 0).ratio, 1);
  EXPECT_EQ(read_rank(values, 1e-9, 99).rank, 4U);
}

TEST(OriginRank, OfEqualRatiosTheFirst) { EXPECT_EQ(read_rank(Values{8, 2, 1, 0.25}, 0, 3).rank, 1U); }

TEST(OriginRank, ZeroIsAsSmallAsRounding) {
  const RankReading reading = read_rank(Values{2, 1, 1e-17, 1e-40, 0, 0}, 0, 5);
  EXPECT_EQ(reading.rank, 2U);
  EXPECT_EQ(reading.ratio, 0x1p51);
  EXPECT_EQ(read_rank(Values{0, 0, 0}, 0, 2).rank, 0U);
  EXPECT_EQ(read_rank(Values{}, 0, 2).rank, 0U);
  EXPECT_EQ(read_rank(Values{3}, 0, 2).rank, 0U);
  EXPECT_EQ(read_rank(Values{3}, 0, 2).first, 3);
}

TEST(OriginRank, WhatIsNoListOfSingularValuesIsRefused) {
  EXPECT_THROW(read_rank(Values{1, 2}, 0, 1), std::invalid_argument);
  EXPECT_THROW(read_rank(Values{1, -1}, 0, 1), std::invalid_argument);
  EXPECT_THROW(read_rank(Values{std::nan("")}, 0, 1), std::invalid_argument);
  EXPECT_THROW(read_rank(Values{HUGE_VAL, 1}, 0, 1), std::invalid_argument);
}

OriginLabel label(const Values& values, double noise_edge, double delta) {
  return origin_label(read_rank(values, noise_edge, values.size() - 1), delta, delta);
}

TEST(OriginRank, EveryRowOfTheTable) {
  const double noise = 0.1;
  EXPECT_EQ(label({0.2, 0.1, 0.1}, noise, 0.1), OriginLabel::identical);
  EXPECT_EQ(label({0.21, 0.105, 0.1}, noise, 0.1), OriginLabel::low_rank);
  EXPECT_EQ(label({5, 4, 0.2, 0.1}, noise, 0.1), OriginLabel::low_rank);
  EXPECT_EQ(label({5, 4, 0.21, 0.2}, noise, 0.1),
            OriginLabel::full_rank_close);  // the gap ends above the noise
  EXPECT_EQ(label({5, 3, 2, 1.1, 0.6}, noise, 0.1), OriginLabel::full_rank_close);  // no gap
  EXPECT_EQ(label({5, 3, 2, 1.1, 0.6}, noise, 0.5), OriginLabel::full_rank_far);
  EXPECT_EQ(label({5, 3, 2, 1.1, 0.6}, noise, 1.19), OriginLabel::full_rank_far);
  EXPECT_EQ(label({5, 3, 2, 1.1, 0.6}, noise, 1.2), OriginLabel::unrelated_here);
  EXPECT_EQ(label({5, 4, 0.2, 0.1}, noise, 1.2), OriginLabel::unrelated_here);  // no update is as large
}

TEST(OriginRank, WhatSinksIntoTheRoundingWithoutAGapIsNoFineTune) {
  const Values fading = {5, 3, 2, 1.1, 0.6, 0.35, 0.19, 0.12, 0.1, 0.09, 0.08, 0.07, 0.06, 0.05, 0.04};
  EXPECT_EQ(label(fading, 0.1, 0.1), OriginLabel::dead_zone);         // 6 of 14
  EXPECT_EQ(label(fading, 0.05, 0.1), OriginLabel::full_rank_close);  // 8 of 14
  EXPECT_EQ(label(fading, 0.1, 0.5), OriginLabel::full_rank_far);
}

TEST(OriginRank, HalfOfTheRankIsAboveTheNoise) {
  EXPECT_EQ(label({0.3, 0.25, 0.19, 0.18, 0.05}, 0.1, 0.1), OriginLabel::low_rank);       // 2 of 4
  EXPECT_EQ(label({0.3, 0.19, 0.18, 0.17, 0.05}, 0.1, 0.6), OriginLabel::full_rank_far);  // 1 of 4
}

TEST(OriginRank, SmallUpdatesWithoutRankAbstain) {
  const RankReading flat = read_rank(Values{5, 3, 2}, 0.1, 2), gap = read_rank(Values{5, 3, 0.1}, 0.1, 2),
                    nothing = read_rank(Values{0.1, 0.1}, 0.1, 1);
  EXPECT_EQ(origin_label(flat, 0.004, 0.0049), OriginLabel::dead_zone);
  EXPECT_EQ(origin_label(flat, 0.004, 0.005), OriginLabel::full_rank_close);
  EXPECT_EQ(origin_label(gap, 0.004, 0.0049), OriginLabel::low_rank);
  EXPECT_EQ(origin_label(nothing, 0.004, 0.0049), OriginLabel::identical);
}

std::vector<OriginLayer> layers(std::initializer_list<OriginLabel> labels) {
  std::vector<OriginLayer> out;
  for (const OriginLabel one : labels) out.push_back({one, 0});
  return out;
}

TEST(OriginRank, ModelSaysWhatMostLayersSay) {
  using L = OriginLabel;
  EXPECT_EQ(origin_model(layers({L::identical, L::low_rank, L::low_rank})).label, L::low_rank);
  EXPECT_EQ(origin_model(layers({L::identical, L::low_rank, L::low_rank})).agreeing, 2U);
  EXPECT_EQ(origin_model(layers({L::dead_zone, L::dead_zone, L::low_rank})).label, L::dead_zone);
  // half is enough where the other half disagrees, fewer are not, and a draw decides nothing
  EXPECT_EQ(origin_model(layers({L::identical, L::unrelated_here, L::low_rank, L::low_rank})).label,
            L::low_rank);
  EXPECT_EQ(
      origin_model(layers({L::identical, L::unrelated_here, L::dead_zone, L::low_rank, L::low_rank})).label,
      L::mixed);
  EXPECT_EQ(origin_model(layers({L::identical, L::identical, L::low_rank, L::low_rank})).label, L::mixed);
  EXPECT_EQ(origin_model({}).label, L::mixed);
}

TEST(OriginRank, ModelsRankIsThatOfLowRankLayers) {
  const auto low = [](std::uint64_t rank) { return OriginLayer{OriginLabel::low_rank, rank}; };
  const OriginModel model =
      origin_model(std::vector{low(16), low(8), OriginLayer{OriginLabel::identical, 3}, low(16), low(19)});
  EXPECT_EQ(model.ranks, (std::vector<std::uint64_t>{16, 8, 16, 19}));
  EXPECT_EQ(model.median, 16);
  EXPECT_EQ(model.minimum, 8U);
  EXPECT_EQ(model.mode, 16U);
  EXPECT_EQ(origin_model(std::vector{low(8), low(19)}).median, 13.5);
  EXPECT_EQ(origin_model(std::vector{low(19), low(8)}).mode, 8U);
  EXPECT_EQ(origin_model(layers({OriginLabel::identical})).median, 0);
}

TEST(OriginRank, LabelsHaveNames) {
  EXPECT_EQ(name_of(OriginLabel::identical), "IDENTICAL");
  EXPECT_EQ(name_of(OriginLabel::unrelated_here), "UNRELATED_HERE");
  EXPECT_EQ(name_of(OriginLabel::mixed), "ABSTAIN(mixed)");
}

}  // namespace
}  // namespace stemma
