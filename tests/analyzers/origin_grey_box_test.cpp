// Do outputs alone show the rank of an update of attention?
#include "analyzers/origin_grey_box.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>

#include "tests/analyzers/single_token_toy.hpp"

namespace stemma {
namespace {

using single_token_toy::child;
using single_token_toy::states;

GreyBoxReading read(const single_token_toy::Layer& base, const single_token_toy::Layer& candidate,
                    const std::vector<double>& inputs, const GreyBoxOptions& options = {}) {
  const SingleTokenLayer b(base.weights()), c(candidate.weights());
  return read_grey_box(b, inputs, c.output(inputs), options).value();
}

struct GreyBoxCase {
  double on_value, on_output;
  std::uint64_t rank;
};

class OriginGreyBox : public testing::TestWithParam<double> {};

TEST_P(OriginGreyBox, RankOfAnUpdate) {
  const single_token_toy::Layer base = single_token_toy::base();
  const std::vector<double> inputs = states(128, GetParam(), 31);
  for (const auto& [on_value, on_output, rank] :
       {GreyBoxCase{1, 0, 8}, GreyBoxCase{0, 1, 8}, GreyBoxCase{1, 1, 16}}) {
    const GreyBoxReading exact = read(base, child(base, on_value, on_output), inputs),
                         stored = read(base, child(base, on_value, on_output, Dtype::bf16), inputs);
    for (const GreyBoxReading* reading : {&exact, &stored}) {
      EXPECT_EQ(reading->rank.rank, rank);
      ASSERT_EQ(reading->repetitions.size(), 8U);
      for (const RankReading& one : reading->repetitions) EXPECT_EQ(one.rank, rank);
      EXPECT_EQ(reading->accepted, 128U);
      EXPECT_LE(reading->worst_error, 1e-12);
      EXPECT_EQ(reading->rank.limit, 48U);
    }
    EXPECT_GT(exact.rank.ratio, 1e8);
    EXPECT_LT(exact.rank.behind, exact.rank.noise_edge);
    EXPECT_GT(stored.rank.ratio, 10);
  }
}

TEST_P(OriginGreyBox, UnrelatedLayersHaveNoGap) {
  const single_token_toy::Layer base = single_token_toy::base();
  for (const unsigned seed : {5U, 6U}) {
    const GreyBoxReading reading = read(base, single_token_toy::base(seed), states(128, GetParam(), 31));
    EXPECT_EQ(reading.repetitions.size(), 8U);
    for (const RankReading& one : reading.repetitions) EXPECT_LT(one.ratio, thresholds::origin_gap);
    EXPECT_NEAR(reading.delta, std::sqrt(2.0), 0.05);
  }
}

INSTANTIATE_TEST_SUITE_P(SizesOfInputs, OriginGreyBox, testing::Values(20, 1, 0.05));

TEST(OriginGreyBoxReading, DisguisesChangeNothing) {
  const single_token_toy::Layer base = single_token_toy::base();
  for (const origin_toy::Disguise disguise : origin_toy::disguises) {
    single_token_toy::Layer hidden = child(base, 1, 1);
    hidden.attention = origin_toy::disguised(hidden.attention, disguise).stored(Dtype::bf16);
    const GreyBoxReading reading = read(base, hidden, states(128, 1, 32));
    EXPECT_EQ(reading.rank.rank, 16U);
    EXPECT_GT(reading.rank.ratio, 10);
  }
}

TEST(OriginGreyBoxReading, InputsOfTheNextLayerComeFromTheBase) {
  const single_token_toy::Layer first = single_token_toy::base(), second = single_token_toy::base(7);
  const std::vector<double> inputs = SingleTokenLayer(first.weights()).output(states(128, 0.3, 33));
  const GreyBoxReading reading = read(second, child(second, 1, 0, Dtype::bf16), inputs);
  EXPECT_EQ(reading.rank.rank, 8U);
  EXPECT_GT(reading.rank.ratio, 10);
}

TEST(OriginGreyBoxReading, AdamShowsTheSameRankWhereItGetsThere) {
  const single_token_toy::Layer base = single_token_toy::base();
  GreyBoxOptions options{.accepted = HUGE_VAL};
  options.inversion = {.method = InversionMethod::adam, .learning_rate = 1e-3};
  const single_token_toy::Layer candidate = child(base, 1, 1, Dtype::bf16);
  const std::vector<double> inputs = states(80, 1, 31);
  const GreyBoxReading reading = read(base, candidate, inputs, options);
  EXPECT_EQ(reading.rank.rank, 16U);
  EXPECT_LT(reading.worst_error, 1e-6);
  options.inversion.learning_rate = 1e-4;  // 500 steps go no further than 0.05
  const GreyBoxReading slow = read(base, candidate, inputs, options);
  EXPECT_GT(slow.worst_error, 1e-4);
  EXPECT_LT(slow.rank.ratio, 2.5);
  EXPECT_EQ(slow.accepted, 80U);
}

TEST(OriginGreyBoxReading, SameResultTwice) {
  const single_token_toy::Layer base = single_token_toy::base();
  const single_token_toy::Layer candidate = child(base, 1, 1, Dtype::bf16);
  const std::vector<double> inputs = states(100, 0.05, 34);
  const GreyBoxReading one = read(base, candidate, inputs), two = read(base, candidate, inputs),
                       other = read(base, candidate, inputs, {.seed = 1});
  EXPECT_EQ(one.values, two.values);
  EXPECT_EQ(one.passes, two.passes);
  EXPECT_EQ(one.flops, two.flops);
  EXPECT_NE(one.values, other.values);  // other subsets ...
  EXPECT_EQ(one.passes, other.passes);  // ... of the same differences
}

TEST(OriginGreyBoxReading, CostIsThatOfItsParts) {
  const single_token_toy::Layer base = single_token_toy::base();
  const GreyBoxReading reading = read(base, child(base, 1, 0), states(100, 1, 35), {.repetitions = 3});
  EXPECT_EQ(reading.probes, 100U);
  EXPECT_EQ(reading.repetitions.size(), 3U);
  EXPECT_EQ(reading.values.size(), 64U);
  EXPECT_GE(reading.passes, reading.probes * 2);
  EXPECT_EQ(reading.flops, static_cast<double>(reading.passes) * 6 * 128 * 320 + 100.0 * 4 * 128 * 64 +
                               3.0 * 4 * 128 * 64 * 64);
  EXPECT_GE(static_cast<double>(reading.most_steps), reading.mean_steps);
}

TEST(OriginGreyBoxReading, TooFewProbesHaveNoRank) {
  const single_token_toy::Layer base = single_token_toy::base();
  const single_token_toy::Layer candidate = child(base, 1, 1);
  EXPECT_EQ(read(base, candidate, states(1, 1, 36)).rank.rank, 0U);
  EXPECT_EQ(read(base, candidate, {}).rank.rank, 0U);
  GreyBoxOptions hurried;
  hurried.inversion.steps = 1;
  const GreyBoxReading reading = read(base, candidate, states(80, 1, 36), hurried);
  EXPECT_EQ(reading.accepted, 0U);
  EXPECT_TRUE(reading.repetitions.empty());
  EXPECT_GT(reading.worst_error, 1e-6);
  const GreyBoxReading few = read(base, candidate, states(10, 1, 36));  // all of their rank
  EXPECT_EQ(few.values.size(), 10U);
  EXPECT_LT(few.rank.ratio, 10);
}

TEST(OriginGreyBoxReading, CopiesShowNothing) {
  const single_token_toy::Layer base = single_token_toy::base();
  const GreyBoxReading reading = read(base, base, states(128, 1, 37));
  EXPECT_LE(reading.rank.first, 2 * reading.rank.noise_edge);
  EXPECT_LT(reading.delta, 1e-12);
}

TEST(OriginGreyBoxReading, ProbesAreDifferentTokens) {
  const std::vector<std::size_t> drawn = draw_probes({}, 128, 1000);
  EXPECT_EQ(drawn.size(), 128U);
  EXPECT_EQ(std::set<std::size_t>(drawn.begin(), drawn.end()).size(), 128U);
  EXPECT_TRUE(std::is_sorted(drawn.begin(), drawn.end()));
  EXPECT_LT(drawn.back(), 1000U);
  EXPECT_EQ(drawn, draw_probes({}, 128, 1000));
  EXPECT_NE(drawn, draw_probes({.seed = 1}, 128, 1000));
  EXPECT_EQ(draw_probes({}, 128, 100).size(), 100U);
  EXPECT_EQ(draw_probes({.probes = 7}, 128, 100).size(), 7U);
}

TEST(OriginGreyBoxReading, InputsThatCannotBeRead) {
  const single_token_toy::Layer base = single_token_toy::base();
  const SingleTokenLayer single(base.weights());
  std::vector<double> inputs = states(4, 1, 38);
  EXPECT_THROW(read_grey_box(single, inputs, std::span(inputs).first(128), {}), std::invalid_argument);
  EXPECT_THROW(read_grey_box(single, std::span(inputs).first(100), std::span(inputs).first(100), {}),
               std::invalid_argument);
  std::vector<double> outputs = inputs;
  outputs[7] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(read_grey_box(single, inputs, outputs, {}));
  EXPECT_FALSE(read_grey_box(single, outputs, inputs, {}));
  single_token_toy::Layer bad = base;
  bad.gate(3, 4) = HUGE_VAL;
  EXPECT_FALSE(read_grey_box(SingleTokenLayer(bad.weights()), inputs, inputs, {}));
}

}  // namespace
}  // namespace stemma
