// Weights are rounded to codes by hand here, and what is left is held against what half a step allows.
#include "analyzers/near_codes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace stemma {
namespace {

constexpr std::uint64_t coded_rows = 32, coded_cols = 64;
using Numbers = std::vector<float>;

Numbers normal_numbers(unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Numbers out(coded_rows * coded_cols);
  for (float& x : out) x = normal(random);
  return out;
}

/// To multiples of `step`, of which at most `most` on either side of zero.
Numbers rounded_to(const Numbers& values, float step, float most = 1e9F) {
  Numbers out = values;
  for (float& x : out) x = step * std::clamp(std::round(x / step), -most, most);
  return out;
}
Numbers halves(float step) { return Numbers(coded_rows * coded_cols, step / 2); }

/// Inputs one after the other: values of one weight, of the other, and the half distances of each that has
/// some.
NearCodes compared(const Numbers& one, const Numbers& other, const Numbers& halves_of_one,
                   const Numbers& halves_of_other) {
  std::vector<const Numbers*> given = {&one, &other};
  CodedInput first{.values = 0, .half_distances = {}}, second{.values = 1, .half_distances = {}};
  if (!halves_of_one.empty()) first.half_distances = given.size(), given.push_back(&halves_of_one);
  if (!halves_of_other.empty()) second.half_distances = given.size(), given.push_back(&halves_of_other);
  const std::vector<Input> inputs(given.size(), {"w", Dtype::f32, coded_rows, coded_cols, 0});
  HeldInputs held(inputs);
  for (std::size_t i = 0; i < given.size(); ++i)
    held.take(i, {.first_row = 0, .rows = coded_rows, .bytes = std::as_bytes(std::span(*given[i]))});
  return compare_codes(held, first, second);
}

TEST(NearCodes, ARoundedCopyIsNearAndAStrangerIsNot) {
  const Numbers weight = normal_numbers(1), stranger = normal_numbers(2);
  for (const float step : {0.02F, 0.3F}) {
    const NearCodes copy = compared(weight, rounded_to(weight, step), {}, halves(step));
    EXPECT_EQ(copy.share, 1) << step;
    EXPECT_TRUE(copy.tells()) << step;
    EXPECT_NEAR(copy.spread, 1, 0.05) << "uniform errors";
    EXPECT_FALSE(copy.is_on_codes()) << step;
    // |x - y| <= h + 2^-8 |y| of independent normal numbers: erf(h / 2) and a little more.
    const NearCodes other = compared(stranger, rounded_to(weight, step), {}, halves(step));
    EXPECT_NEAR(other.share, std::erf(step / 4), 0.02) << step;
    EXPECT_NEAR(other.share, other.control, 0.02) << "strangers are no nearer in place";
    EXPECT_FALSE(other.is_near());
  }
}

TEST(NearCodes, AnUpdateBeyondHalfAStepIsSeen) {
  Numbers weight = normal_numbers(3), trained = weight;
  std::mt19937 random(4);
  std::normal_distribution<float> normal(0, 0.05F);
  for (float& x : trained) x += normal(random);
  EXPECT_FALSE(compared(weight, rounded_to(trained, 0.05F), {}, halves(0.05F)).is_near());
  // What is far below half a step leaves no trace, and nobody says that it did not happen.
  EXPECT_TRUE(compared(weight, rounded_to(trained, 8.0F), {}, halves(8.0F)).share > 0.99);
}

TEST(NearCodes, TwoSidesWithCodesMayBeOffByBoth) {
  const Numbers weight = normal_numbers(5), coarse = rounded_to(weight, 0.3F),
                fine = rounded_to(weight, 0.2F), finest = rounded_to(weight, 0.02F);
  const NearCodes much_finer = compared(coarse, finest, halves(0.3F), halves(0.02F));
  EXPECT_EQ(much_finer.share, 1);
  EXPECT_NEAR(much_finer.fineness, 0.02 / 0.3, 1e-6);
  EXPECT_TRUE(much_finer.tells());
  const NearCodes alike = compared(coarse, fine, halves(0.3F), halves(0.2F));
  EXPECT_EQ(alike.share, 1);
  EXPECT_FALSE(alike.is_near()) << "an update of a whole step would not show";
  EXPECT_LT(compared(coarse, fine, {}, halves(0.2F)).share, 0.9) << "numbers are exact";
}

TEST(NearCodes, TheSameCodesAndSomethingSmallAreNoCopies) {
  const Numbers codes = rounded_to(normal_numbers(10), 0.3F);
  Numbers updated = codes;
  std::mt19937 random(11);
  std::normal_distribution<float> normal(0, 0.01F);
  for (float& x : updated) x += normal(random);
  for (const Numbers& halves_of_updated : {Numbers(), halves(0.3F)}) {
    const NearCodes found = compared(codes, updated, halves(0.3F), halves_of_updated);
    EXPECT_EQ(found.share, 1);
    EXPECT_LT(found.spread, 0.15);
    EXPECT_FALSE(found.is_near()) << "rounding would have left more";
    EXPECT_FALSE(found.is_on_codes());
  }
}

TEST(NearCodes, NumbersMadeFromCodesLieOnThem) {
  const Numbers codes = rounded_to(normal_numbers(6), 0.3F);
  const NearCodes same = compared(codes, codes, {}, halves(0.3F));
  EXPECT_TRUE(same.is_on_codes());
  EXPECT_EQ(same.on_codes, 1);
}

TEST(NearCodes, ClippedCodesMayBeFew) {
  const Numbers weight = normal_numbers(7);
  const NearCodes some = compared(weight, rounded_to(weight, 0.3F, 9), {}, halves(0.3F));
  EXPECT_NEAR(some.share, std::erf((9 + 0.5F) * 0.3F / std::sqrt(2.0F)), 0.004);
  EXPECT_TRUE(some.tells());
}

TEST(NearCodes, WeightsThatAreNearToEverythingTellNothing) {
  Numbers sparse(coded_rows * coded_cols, 0.0F);
  for (std::size_t i = 0; i < sparse.size(); i += 50) sparse[i] = 1;
  Numbers small = normal_numbers(8);
  for (float& x : small) x *= 1e-3F;
  const NearCodes found = compared(small, sparse, {}, halves(0.1F));
  EXPECT_GT(found.share, 0.95);
  EXPECT_FALSE(found.tells()) << found.control;
}

TEST(NearCodes, WhatIsNotFiniteIsNearToNothing) {
  const Numbers weight = normal_numbers(9);
  Numbers codes = rounded_to(weight, 0.1F);
  for (std::size_t i = 0; i < codes.size(); i += 2) codes[i] = std::numeric_limits<float>::quiet_NaN();
  codes[1] = std::numeric_limits<float>::infinity();
  const NearCodes found = compared(weight, codes, {}, halves(0.1F));
  EXPECT_EQ(found.share, 1023.0 / 2048);
}

}  // namespace
}  // namespace stemma
