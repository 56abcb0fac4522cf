// Is the nearest code found, once, with ties to the even one?
#include "io/model/narrow.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include "io/model/widen.hpp"

namespace stemma {
namespace {

std::uint16_t code_of(Dtype dtype, double value) {
  std::uint16_t code = 0;
  narrow(dtype, std::span(&value, 1), std::as_writable_bytes(std::span(&code, 1)));
  return code;
}

constexpr std::uint16_t infinity_of(Dtype dtype) { return dtype == Dtype::f16 ? 0x7C00 : 0x7F80; }

TEST(Narrow, EveryCodeIsItsOwnNearest) {
  for (const Dtype dtype : {Dtype::bf16, Dtype::f16})
    for (unsigned code = 0; code < 0x10000; ++code) {
      const double value = value_of_code(dtype, static_cast<std::uint16_t>(code));
      if (std::isnan(value)) {
        EXPECT_TRUE(std::isnan(value_of_code(dtype, code_of(dtype, value))));
      } else {
        ASSERT_EQ(code_of(dtype, value), code) << name_of(dtype);
      }
    }
}

/// Halfway between neighbours the even code wins, and the least bit beside it decides: so nothing is rounded
/// twice, which a step through float would do.
TEST(Narrow, TiesGoToEvenAndNothingElseIsATie) {
  for (const Dtype dtype : {Dtype::bf16, Dtype::f16})
    for (unsigned code = 0; code + 1 < infinity_of(dtype); ++code) {
      const double below = value_of_code(dtype, static_cast<std::uint16_t>(code)),
                   above = value_of_code(dtype, static_cast<std::uint16_t>(code + 1)),
                   middle = below + (above - below) / 2;
      ASSERT_EQ(code_of(dtype, middle), code + code % 2);
      ASSERT_EQ(code_of(dtype, std::nextafter(middle, 0)), code);
      ASSERT_EQ(code_of(dtype, std::nextafter(middle, INFINITY)), code + 1);
      ASSERT_EQ(code_of(dtype, -middle), 0x8000 + code + code % 2);
    }
}

TEST(Narrow, TheLargestNumberEndsHalfAStepBeyondItself) {
  EXPECT_EQ(code_of(Dtype::f16, 65519.99), 0x7BFF);
  EXPECT_EQ(code_of(Dtype::f16, 65520), 0x7C00);
  EXPECT_EQ(code_of(Dtype::f16, -1e300), 0xFC00);
  EXPECT_EQ(code_of(Dtype::bf16, std::numeric_limits<double>::max()), 0x7F80);
  EXPECT_EQ(code_of(Dtype::bf16, 1e-320), 0);
  EXPECT_EQ(code_of(Dtype::bf16, -0.0), 0x8000);
}

TEST(Narrow, WideTypesAreThoseOfTheMachine) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  std::vector<double> values(1000);
  for (double& x : values) x = normal(random);
  std::vector<float> single(values.size());
  narrow(Dtype::f32, values, std::as_writable_bytes(std::span(single)));
  std::vector<double> same(values.size());
  narrow(Dtype::f64, values, std::as_writable_bytes(std::span(same)));
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(single[i], static_cast<float>(values[i]));
    EXPECT_EQ(same[i], values[i]);
  }
}

TEST(Narrow, OtherTypesAndSizesAreRefused) {
  const double one = 1;
  std::vector<std::byte> room(8);
  EXPECT_THROW(narrow(Dtype::i8, std::span(&one, 1), std::span(room).first(1)), std::invalid_argument);
  EXPECT_THROW(narrow(Dtype::bf16, std::span(&one, 1), room), std::invalid_argument);
}

}  // namespace
}  // namespace stemma
