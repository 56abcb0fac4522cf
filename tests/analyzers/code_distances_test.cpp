// Half distances are summed up by plain loops here, and given in every cut.
#include "analyzers/code_distances.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace stemma {
namespace {

Features measured_in_cuts(const std::vector<float>& halves, std::size_t cut) {
  CodeDistances measurement;
  const auto bytes = std::as_bytes(std::span(halves));
  for (std::size_t at = 0; at < bytes.size(); at += cut)
    measurement.take_stored(0, bytes.subspan(at, std::min(cut, bytes.size() - at)));
  return measurement.finish();
}

TEST(CodeDistances, SumUpTheSameInEveryCut) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(0, 0.1F);
  std::vector<float> halves(1001);
  for (float& half : halves) half = uniform(random);
  double largest = 0, squares = 0;
  for (const double half : halves) {
    largest = std::max(largest, half);
    squares += half * half;
  }
  const Features whole = measured_in_cuts(halves, 1U << 20U);
  EXPECT_EQ(whole.counts.at("n"), 1001U);
  EXPECT_EQ(whole.numbers.at("largest"), largest);
  EXPECT_NEAR(whole.numbers.at("root_mean_square"), std::sqrt(squares / 1001), 1e-15);
  for (const std::size_t cut : {1U, 2U, 3U, 4U, 5U, 7U, 8U, 1000U}) {
    const Features pieces = measured_in_cuts(halves, cut);
    EXPECT_EQ(pieces.numbers, whole.numbers) << cut;
    EXPECT_EQ(pieces.counts, whole.counts) << cut;
  }
}

TEST(CodeDistances, CodesWithoutAMeaningAreAFindingAndNoNumber) {
  const Features found = measured_in_cuts({0.5F, std::numeric_limits<float>::quiet_NaN(), 1.5F}, 4);
  EXPECT_EQ(found.status, Status::nonfinite);
  EXPECT_EQ(found.counts.at("n"), 3U);
  EXPECT_EQ(found.numbers.at("largest"), 1.5);
  EXPECT_EQ(found.numbers.at("root_mean_square"), std::sqrt((0.25 + 2.25) / 2));
  EXPECT_EQ(measured_in_cuts({}, 4).numbers.at("root_mean_square"), 0);
}

}  // namespace
}  // namespace stemma
