// Does every code of every format mean the number that the format's formula says?
#include "io/model/widen.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace stemma {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

template <class T>
double widened(Dtype dtype, T stored) {
  double out = 0;
  widen(dtype, std::as_bytes(std::span(&stored, 1)), std::span(&out, 1));
  return out;
}
double code8(Dtype dtype, int code) { return widened(dtype, static_cast<std::uint8_t>(code)); }

void expect_same(double value, double expected, int code) {
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(value)) << code;
  } else {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(value), std::bit_cast<std::uint64_t>(expected)) << code;
  }
}

TEST(Widen, AllF16Codes) {
  for (int code = 0; code < 65536; ++code) {
    const int sign = code >> 15, exponent = code >> 10 & 31, mantissa = code & 1023;
    double value =
        exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1 + mantissa / 1024.0, exponent - 15);
    if (exponent == 31) value = mantissa == 0 ? infinity : NAN;
    if (sign == 1) value = -value;
    expect_same(value_of_code(Dtype::f16, static_cast<std::uint16_t>(code)), value, code);
    expect_same(widened(Dtype::f16, static_cast<std::uint16_t>(code)), value, code);
  }
}

TEST(Widen, AllBf16Codes) {
  for (int code = 0; code < 65536; ++code) {
    const int sign = code >> 15, exponent = code >> 7 & 255, mantissa = code & 127;
    double value =
        exponent == 0 ? std::ldexp(mantissa, -133) : std::ldexp(1 + mantissa / 128.0, exponent - 127);
    if (exponent == 255) value = mantissa == 0 ? infinity : NAN;
    if (sign == 1) value = -value;
    expect_same(value_of_code(Dtype::bf16, static_cast<std::uint16_t>(code)), value, code);
    expect_same(widened(Dtype::bf16, static_cast<std::uint16_t>(code)), value, code);
  }
}

TEST(Widen, AllFp8Codes) {
  for (int code = 0; code < 256; ++code) {
    const double sign = code >= 128 ? -1 : 1;
    const int e4 = code >> 3 & 15, m3 = code & 7, e5 = code >> 2 & 31, m2 = code & 3;
    const bool negative_zero = code == 0x80;

    const double e4m3 = e4 == 0 ? std::ldexp(m3, -9) : std::ldexp(1 + m3 / 8.0, e4 - 7);
    expect_same(code8(Dtype::f8_e4m3, code), (code & 127) == 127 ? NAN : sign * e4m3, code);

    double e5m2 = e5 == 0 ? std::ldexp(m2, -16) : std::ldexp(1 + m2 / 4.0, e5 - 15);
    if (e5 == 31) e5m2 = m2 == 0 ? infinity : NAN;
    expect_same(code8(Dtype::f8_e5m2, code), sign * e5m2, code);

    const double e4m3fnuz = e4 == 0 ? std::ldexp(m3, -10) : std::ldexp(1 + m3 / 8.0, e4 - 8);
    expect_same(code8(Dtype::f8_e4m3fnuz, code), negative_zero ? NAN : sign * e4m3fnuz, code);

    const double e5m2fnuz = e5 == 0 ? std::ldexp(m2, -17) : std::ldexp(1 + m2 / 4.0, e5 - 16);
    expect_same(code8(Dtype::f8_e5m2fnuz, code), negative_zero ? NAN : sign * e5m2fnuz, code);

    expect_same(code8(Dtype::f8_e8m0, code), code == 255 ? NAN : std::pow(2.0, code - 127), code);
  }
}

TEST(Widen, LargestFp8Values) {
  EXPECT_EQ(code8(Dtype::f8_e4m3, 0x7E), 448);
  EXPECT_EQ(code8(Dtype::f8_e5m2, 0x7B), 57344);
  EXPECT_EQ(code8(Dtype::f8_e4m3fnuz, 0x7F), 240);
  EXPECT_EQ(code8(Dtype::f8_e5m2fnuz, 0x7F), 57344);
}

TEST(Widen, WholeNumbersAtTheirLimits) {
  EXPECT_EQ(widened(Dtype::boolean, std::uint8_t{0}), 0);
  EXPECT_EQ(widened(Dtype::boolean, std::uint8_t{7}), 1);
  EXPECT_EQ(widened(Dtype::u8, std::uint8_t{255}), 255);
  EXPECT_EQ(widened(Dtype::i8, std::int8_t{-128}), -128);
  EXPECT_EQ(widened(Dtype::u16, std::uint16_t{65535}), 65535);
  EXPECT_EQ(widened(Dtype::i16, std::int16_t{-32768}), -32768);
  EXPECT_EQ(widened(Dtype::u32, std::uint32_t{4294967295U}), 4294967295.0);
  EXPECT_EQ(widened(Dtype::i32, std::numeric_limits<std::int32_t>::min()), -2147483648.0);
  EXPECT_EQ(widened(Dtype::u64, std::numeric_limits<std::uint64_t>::max()), 18446744073709551616.0);
  EXPECT_EQ(widened(Dtype::i64, std::numeric_limits<std::int64_t>::min()), -9223372036854775808.0);
  EXPECT_EQ(widened(Dtype::i64, (std::int64_t{1} << 53) + 1), 9007199254740992.0) << "rounds to nearest even";
  EXPECT_EQ(widened(Dtype::i64, (std::int64_t{1} << 53) + 3), 9007199254740996.0);
}

TEST(Widen, SubnormalsSurvive) {
  EXPECT_EQ(widened(Dtype::f32, std::numeric_limits<float>::denorm_min()), std::ldexp(1.0, -149));
  EXPECT_EQ(widened(Dtype::f64, std::numeric_limits<double>::denorm_min()),
            std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(widened(Dtype::f16, std::uint16_t{1}), std::ldexp(1.0, -24));
}

TEST(Widen, UnalignedRuns) {
  const std::vector<float> values{1.5F, -2.25F, 1e-30F};
  std::vector<std::byte> bytes(1 + values.size() * sizeof(float));
  std::memcpy(bytes.data() + 1, values.data(), values.size() * sizeof(float));
  std::vector<double> out(values.size());
  widen(Dtype::f32, std::span(bytes).subspan(1), out);
  for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(out[i], static_cast<double>(values[i]));
}

TEST(Widen, Refusals) {
  std::vector<std::byte> bytes(8);
  std::vector<double> out(1);
  for (const Dtype dtype : {Dtype::c64, Dtype::f4, Dtype::f6_e2m3, Dtype::f6_e3m2}) {
    const auto size = bits_of(dtype) == 64 ? 8U : 0U;
    EXPECT_THROW(widen(dtype, std::span(bytes).first(size), std::span(out).first(size == 8 ? 1 : 0)),
                 std::invalid_argument);
  }
  EXPECT_THROW(widen(Dtype::f32, bytes, out), std::invalid_argument) << "eight bytes are two elements";
  EXPECT_THROW(value_of_code(Dtype::f32, 0), std::invalid_argument);
}

}  // namespace
}  // namespace stemma
