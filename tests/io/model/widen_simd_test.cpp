// Do vectors of every instruction set widen to the bits that one conversion at a time gives?
#include "io/model/widen_simd.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <functional>
#include <random>
#include <vector>

#include "io/model/simd.hpp"
#include "io/model/widen.hpp"

namespace stemma {
namespace {

/// One type and its oracle: the formula, one element at a time.
struct Oracle {
  Dtype dtype;
  std::function<double(std::uint32_t)> value;
};

std::vector<Oracle> oracles() {
  const auto small = [](const SmallFloat& format) {
    return [format](std::uint32_t code) { return decode(format, code); };
  };
  return {{Dtype::bf16,
           [](std::uint32_t code) { return static_cast<double>(std::bit_cast<float>(code << 16U)); }},
          {Dtype::f16, small(f16_format)},
          {Dtype::f8_e4m3, small(e4m3_format)},
          {Dtype::f8_e5m2, small(e5m2_format)},
          {Dtype::f8_e4m3fnuz, small(e4m3fnuz_format)},
          {Dtype::f8_e5m2fnuz, small(e5m2fnuz_format)},
          {Dtype::f32, [](std::uint32_t code) { return static_cast<double>(std::bit_cast<float>(code)); }}};
}

void expect_oracle(const Oracle& oracle, std::span<const std::byte> bytes) {
  const std::size_t width = bits_of(oracle.dtype) / 8;
  std::vector<double> out(bytes.size() / width);
  widen(oracle.dtype, bytes, out);
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint32_t code = 0;
    std::memcpy(&code, bytes.data() + i * width, width);
    const auto expected = std::bit_cast<std::uint64_t>(oracle.value(code));
    ASSERT_EQ(std::bit_cast<std::uint64_t>(out[i]), expected) << name_of(oracle.dtype) << " code " << code;
  }
}

class WidenSimd : public testing::TestWithParam<std::string> {};

TEST_P(WidenSimd, EveryCode) {
  const ForcedSimdTarget forced(GetParam());
  std::vector<std::uint16_t> pairs(65536);  // every 16-bit code, and every pair of 8-bit codes
  for (std::size_t code = 0; code < pairs.size(); ++code) pairs[code] = static_cast<std::uint16_t>(code);
  for (const Oracle& oracle : oracles())
    if (oracle.dtype != Dtype::f32) expect_oracle(oracle, std::as_bytes(std::span(pairs)));
}

TEST_P(WidenSimd, RandomBlocksOfEveryLengthAndAlignment) {
  const ForcedSimdTarget forced(GetParam());
  std::mt19937_64 random(1);
  std::vector<std::byte> bytes(4200);
  for (int block = 0; block < 2000; ++block) {
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      const std::uint64_t word = random();
      std::memcpy(bytes.data() + at, &word, sizeof word);
    }
    for (const Oracle& oracle : oracles()) {
      const std::size_t elements = random() % 1000;
      expect_oracle(oracle, std::span(bytes).subspan(random() % 64, elements * bits_of(oracle.dtype) / 8));
    }
  }
}

TEST_P(WidenSimd, WritesNothingBehindTheEnd) {
  const ForcedSimdTarget forced(GetParam());
  const std::vector<std::uint16_t> ones(100, 0x3F80);
  for (std::size_t n = 0; n < 40; ++n) {
    std::vector<double> out(41, -7);
    widen(Dtype::bf16, std::as_bytes(std::span(ones).first(n)), std::span(out).first(n));
    for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(out[i], i < n ? 1 : -7);
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, WidenSimd, testing::ValuesIn(simd_targets()),
                         [](const auto& target) { return target.param; });

TEST(SimdTargets, AreThereAndNoOtherCanBeForced) {
  EXPECT_FALSE(simd_targets().empty());
  EXPECT_THROW(ForcedSimdTarget("AVX1024"), std::invalid_argument);
}

}  // namespace
}  // namespace stemma
