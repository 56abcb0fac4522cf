// Is our logarithm right to two units in the last place?
#include "analyzers/numerics/portable_log.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace stemma {
namespace {

double ulps(double found, long double expected) {
  const auto nearest = static_cast<double>(expected);
  const double unit = std::nextafter(std::abs(nearest), INFINITY) - std::abs(nearest);
  return static_cast<double>(std::abs(static_cast<long double>(found) - expected)) / unit;
}

TEST(PortableLog, TwoUlpAgainstLongDouble) {
  std::mt19937_64 generator(1);
  std::uniform_real_distribution<double> exponent(-1070, 1020), near_one(0.6, 1.6);
  for (int i = 0; i < 200000; ++i) {
    const double wide = std::exp2(exponent(generator));
    const double close = near_one(generator);
    const double integer = static_cast<double>(i + 2);
    for (const double x : {wide, close, integer}) {
      ASSERT_LE(ulps(portable_log2(x), std::log2(static_cast<long double>(x))), 2) << x;
    }
    ASSERT_NEAR(portable_log(integer), static_cast<double>(std::log(static_cast<long double>(integer))),
                1e-15 * std::log(integer));
  }
}

TEST(PortableLog, ExactAtPowersOfTwoAndAtTheEnds) {
  for (int e = -1074; e < 1024; ++e) EXPECT_EQ(portable_log2(std::ldexp(1.0, e)), e);
  EXPECT_EQ(portable_log2(0), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(portable_log2(-1)));
  EXPECT_TRUE(std::isinf(portable_log2(INFINITY)));
}

}  // namespace
}  // namespace stemma
