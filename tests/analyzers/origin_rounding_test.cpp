// Is the rounding noise as large as a number's last place, and the same in any order?
#include "analyzers/origin_rounding.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "io/model/widen.hpp"
#include "tests/analyzers/toy_model.hpp"

namespace stemma {
namespace {

/// Every code of a 16-bit type is the distance to the next code away from it.
void expect_steps_between_codes(Dtype dtype, std::uint16_t codes) {
  for (std::uint16_t code = 0; code + 1 < codes; ++code) {
    const double here = value_of_code(dtype, code);
    const double next = value_of_code(dtype, static_cast<std::uint16_t>(code + 1));
    ASSERT_EQ(rounding_step(dtype, here), next - here) << code;
    ASSERT_EQ(rounding_step(dtype, -here), next - here) << code;
  }
}

TEST(OriginRounding, StepIsTheDistanceToTheNextNumber) {
  expect_steps_between_codes(Dtype::bf16, 0x7F80);
  expect_steps_between_codes(Dtype::f16, 0x7C00);
  for (const float x : {0.0F, 1e-45F, 1e-40F, 1.1754944e-38F, 0.02F, 1.0F, 1.5F, 3e38F})
    EXPECT_EQ(rounding_step(Dtype::f32, x),
              static_cast<double>(std::nextafter(x, HUGE_VALF)) - static_cast<double>(x));
  for (const double x : {0.0, 5e-324, 1e-310, 2.2250738585072014e-308, 0.02, 1.0, 1e300})
    EXPECT_EQ(rounding_step(Dtype::f64, x), std::nextafter(x, HUGE_VAL) - x);
}

TEST(OriginRounding, WhatHasNoStepIsRefused) {
  EXPECT_THROW(rounding_step(Dtype::i8, 1), std::invalid_argument);
  EXPECT_THROW(rounding_step(Dtype::f8_e4m3, 1), std::invalid_argument);
  EXPECT_THROW(rounding_step(Dtype::bf16, std::nan("")), std::invalid_argument);
  EXPECT_THROW(rounding_noise(Dtype::bf16, std::vector{1.0, HUGE_VAL}, {}), std::invalid_argument);
}

TEST(OriginRounding, NoiseIsUniformInHalfAStep) {
  const std::vector<double> noise =
      rounding_noise(Dtype::bf16, std::vector<double>(100000, -1.25), {.seed = 7});
  const double step = 0x1p-7;
  double sum = 0, square = 0, largest = 0;
  for (const double x : noise) {
    sum += x / step;
    square += x / step * x / step;
    largest = std::max(largest, std::abs(x / step));
  }
  EXPECT_NEAR(sum / 1e5, 0, 5 * std::sqrt(1 / 12e5));
  EXPECT_NEAR(square / 1e5, 1.0 / 12, 0.001);
  EXPECT_LT(largest, 0.5);
  EXPECT_GT(largest, 0.4999);
}

TEST(OriginRounding, NoiseFollowsItsElement) {
  const std::vector<double> stored = {1, 2, 0, 0x1p-130, 100};
  const std::vector<double> ones = rounding_noise(Dtype::bf16, std::vector<double>(5, 1.0), {.seed = 3});
  const std::vector<double> noise = rounding_noise(Dtype::bf16, stored, {.seed = 3});
  const std::vector<double> relative = {1, 2, 0x1p-126, 0x1p-126, 64};
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(noise[i], ones[i] * relative[i]) << i;
}

TEST(OriginRounding, NoiseOfCodesReachesTheirHalfDistances) {
  const std::vector<double> stored = {1, -2, 0, 5}, halves = {0.5, 3, 0.25, 0};
  // A step of BF16 at 1 is 2^-7: noise of ones is what a half distance of 2^-8 makes.
  const std::vector<double> ones = rounding_noise(Dtype::bf16, std::vector<double>(4, 1.0), {.seed = 3});
  const std::vector<double> noise = rounding_noise({Dtype::f32, halves}, stored, {.seed = 3});
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(noise[i], ones[i] * 256 * halves[i]) << i;
  EXPECT_THROW(rounding_noise({Dtype::f32, std::span(halves).first(2)}, stored, {}), std::invalid_argument);
}

TEST(OriginRounding, NoiseOfAPieceIsThatOfTheWhole) {
  const std::vector<double> stored = toy::gaussian(101, 1, 1);
  const RoundingDraw draw = {.seed = 1ULL << 40U, .tensor = 2, .draw = 1};
  const std::vector<double> whole = rounding_noise(Dtype::f32, stored, draw);
  std::vector<double> pieces;
  for (const auto& [from, to] :
       {std::pair<std::size_t, std::size_t>{0, 1}, {1, 7}, {7, 8}, {8, 50}, {50, 101}}) {
    const auto piece = rounding_noise(Dtype::f32, std::span(stored).subspan(from, to - from), draw, from);
    pieces.insert(pieces.end(), piece.begin(), piece.end());
  }
  EXPECT_EQ(pieces, whole);
}

TEST(OriginRounding, DrawsHaveNothingToDoWithEachOther) {
  const std::vector<double> stored(4000, 1);
  const auto with = [&](std::uint64_t seed, std::uint32_t tensor, std::uint32_t draw,
                        std::uint64_t first = 0) {
    return rounding_noise(Dtype::bf16, stored, {seed, tensor, draw}, first);
  };
  const std::vector<double> noise = with(0, 0, 0);
  EXPECT_EQ(with(0, 0, 0), noise);
  const std::uint64_t far = std::uint64_t{1} << 40U;
  for (const auto& other :
       {with(1, 0, 0), with(far, 0, 0), with(0, 1, 0), with(0, 0, 1), with(0, 0, 0, 4), with(0, 0, 0, far)}) {
    double product = 0, square = 0;
    for (std::size_t i = 0; i < stored.size(); ++i) {
      product += noise[i] * other[i];
      square += noise[i] * noise[i];
    }
    EXPECT_LT(std::abs(product / square), 5 / std::sqrt(4000.0));
  }
}

}  // namespace
}  // namespace stemma
