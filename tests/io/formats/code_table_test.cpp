// Do all codes of all tables mean what was published, and are half distances half of the farther gap?
#include "io/formats/code_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include <cmath>

namespace stemma {
namespace {

/// F8 by its definition: (1 + m / 2^mantissa) 2^(e - bias), subnormal where e is 0.
float small_float(unsigned code, int mantissa_bits, int bias) {
  const unsigned m = code & ((1U << mantissa_bits) - 1), e = (code & 0x7FU) >> mantissa_bits;
  const double fraction = std::ldexp(m, -mantissa_bits);
  const double size =
      e == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1 + fraction, static_cast<int>(e) - bias);
  return static_cast<float>(code >= 0x80 ? -size : size);
}

TEST(CodeTable, EightBits) {
  const auto e4m3 = code_table::small_floats(Dtype::f8_e4m3), e5m2 = code_table::small_floats(Dtype::f8_e5m2);
  const auto signed_bytes = code_table::signed_bytes(), unsigned_bytes = code_table::unsigned_integers(8);
  for (unsigned code = 0; code < 256; ++code) {
    if ((code & 0x7FU) == 0x7FU) {
      EXPECT_TRUE(std::isnan(e4m3[code])) << code;
    } else {
      EXPECT_EQ(e4m3[code], small_float(code, 3, 7)) << code;
    }
    if ((code & 0x7CU) != 0x7CU) {
      EXPECT_EQ(e5m2[code], small_float(code, 2, 15)) << code;
    } else {
      EXPECT_EQ(std::isinf(e5m2[code]), (code & 3U) == 0) << code;
    }
    EXPECT_EQ(signed_bytes[code], code < 128 ? static_cast<float>(code) : static_cast<float>(code) - 256)
        << code;
    EXPECT_EQ(unsigned_bytes[code], static_cast<float>(code));
  }
}

TEST(CodeTable, FourBits) {
  const std::vector<float> e2m1{0, .5, 1, 1.5, 2, 3, 4, 6, -0.F, -.5, -1, -1.5, -2, -3, -4, -6};
  const std::vector<float> nf4{
      -1,        -.6961928F, -.52507305F, -.39491749F, -.28444138F, -.18477343F, -.09105004F, 0,
      .0795803F, .1609302F,  .2461123F,   .33791524F,  .44070983F,  .562617F,    .72295684F,  1};
  const std::vector<float> fp4{0, .0625, 8, 12, 4, 6, 2, 3, -0.F, -.0625, -8, -12, -4, -6, -2, -3};
  for (std::size_t code = 0; code < 16; ++code) {
    EXPECT_EQ(code_table::e2m1()[code], e2m1[code]);
    EXPECT_EQ(std::signbit(code_table::e2m1()[code]), code >= 8);
    EXPECT_NEAR(code_table::nf4()[code], nf4[code], 5e-8) << code;
    EXPECT_NEAR(code_table::fp4()[code], fp4[code] / 12, 5e-8) << code;
  }
  ASSERT_EQ(code_table::e2m1().size(), 16U);
  ASSERT_EQ(code_table::nf4().size(), 16U);
  ASSERT_EQ(code_table::fp4().size(), 16U);
}

TEST(CodeTable, HalfDistances) {
  using code_table::half_distances;
  for (const float half : half_distances(code_table::unsigned_integers(4))) EXPECT_EQ(half, 0.5F);
  for (const float half : half_distances(code_table::signed_bytes())) EXPECT_EQ(half, 0.5F);

  const std::vector<float> by_magnitude{.25, .25, .25, .25, .5, .5, 1, 1};
  const auto e2m1 = half_distances(code_table::e2m1());
  for (std::size_t code = 0; code < 16; ++code) EXPECT_EQ(e2m1[code], by_magnitude[code % 8]) << code;

  const auto e4m3 = half_distances(code_table::small_floats(Dtype::f8_e4m3));
  const auto e5m2 = half_distances(code_table::small_floats(Dtype::f8_e5m2));
  for (int code = 0; code < 256; ++code) {
    const int e4 = code % 128 / 8, e5 = code % 128 / 4;
    const auto i = static_cast<std::size_t>(code);
    if (code % 128 == 127) {
      EXPECT_TRUE(std::isnan(e4m3[i]));
    } else {
      EXPECT_EQ(e4m3[i], std::ldexp(1.0F, std::max(e4, 1) - 11)) << code;
    }
    if (e5 < 31) {
      EXPECT_EQ(e5m2[i], std::ldexp(1.0F, std::max(e5, 1) - 18)) << code;
    }
  }
  const auto nf4 = half_distances(code_table::nf4());
  EXPECT_NEAR(std::ranges::max(nf4), 0.152, 5e-4);
  EXPECT_NEAR(std::ranges::min(nf4), 0.041, 5e-4);
}

}  // namespace
}  // namespace stemma
