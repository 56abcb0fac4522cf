// Do vectors of every instruction set find the sums and the kinds that one element at a time gives, to the
// bit?
#include "analyzers/numerics/float_scan.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <random>
#include <vector>

#include "analyzers/numerics/float_bins.hpp"
#include "analyzers/numerics/moment_sums.hpp"
#include "io/model/simd.hpp"

namespace stemma {
namespace {

/// Every exponent is as likely as any other; a share of the elements is special.
std::vector<float> wild_floats(std::size_t n, std::mt19937_64& random) {
  constexpr std::array<std::uint32_t, 8> special = {0,          0x80000000, 0x7F800000, 0xFF800000,
                                                    0x7FC00001, 0xFFC00000, 0x00000001, 0x807FFFFF};
  std::vector<float> values(n);
  for (float& x : values)
    x = std::bit_cast<float>(random() % 4 == 0 ? special[random() % special.size()]
                                               : static_cast<std::uint32_t>(random()));
  return values;
}

double in_eight_lanes(std::span<const double> values, double (*f)(double, double), double mean) {
  std::array<double, 8> lane{};
  for (std::size_t i = 0; i < values.size(); ++i) lane[i % 8] += f(values[i], mean);
  double sum = 0;
  for (const double x : lane) sum += x;
  return sum;
}

class EveryTarget : public testing::TestWithParam<std::string> {};

TEST_P(EveryTarget, ScanAgreesOneByOne) {
  const ForcedSimdTarget forced(GetParam());
  std::mt19937_64 random(1);
  for (int block = 0; block < 5000; ++block) {
    const std::vector<float> values = wild_floats(random() % 200, random);
    const auto bytes = std::as_bytes(std::span(values));
    ASSERT_EQ(scan_floats(bytes), scan_floats_one_by_one(bytes));
  }
  std::vector<float> zeros(1000, 0.0F);
  const FloatScan scan = scan_floats(std::as_bytes(std::span(zeros)));
  EXPECT_EQ(scan.zero, 1000U);
  EXPECT_EQ(scan.ordinary, 0U);
}

TEST_P(EveryTarget, SumsHaveTheBitsOfTheirDefinition) {
  const ForcedSimdTarget forced(GetParam());
  std::mt19937_64 random(2);
  std::normal_distribution<double> normal(0.3, 1);
  for (int block = 0; block < 2000; ++block) {
    std::vector<double> values(random() % 1025);
    for (double& x : values) x = normal(random);
    const RawSums raw = raw_sums(values);
    EXPECT_EQ(raw.values, in_eight_lanes(
                              values, [](double x, double) { return x; }, 0));
    EXPECT_EQ(raw.squares, in_eight_lanes(
                               values, [](double x, double) { return x * x; }, 0));
    EXPECT_EQ(raw.magnitudes, in_eight_lanes(
                                  values, [](double x, double) { return std::abs(x); }, 0));
    const double mean = 0.29;
    const PowerSums power = power_sums(values, mean);
    EXPECT_EQ(power.first, in_eight_lanes(
                               values, [](double x, double m) { return x - m; }, mean));
    EXPECT_EQ(power.second, in_eight_lanes(
                                values, [](double x, double m) { return (x - m) * (x - m); }, mean));
    EXPECT_EQ(power.third, in_eight_lanes(
                               values, [](double x, double m) { return (x - m) * (x - m) * (x - m); }, mean));
    EXPECT_EQ(
        power.fourth,
        in_eight_lanes(
            values, [](double x, double m) { return ((x - m) * (x - m)) * ((x - m) * (x - m)); }, mean));
  }
}

TEST_P(EveryTarget, SeesWhatIsNotFiniteAtEveryPlace) {
  const ForcedSimdTarget forced(GetParam());
  for (std::size_t n = 0; n < 40; ++n) {
    std::vector<double> values(n, -1e308);
    EXPECT_TRUE(all_finite(values));
    for (double& x : values)
      for (const double bad : {NAN, INFINITY, -INFINITY}) {
        x = bad;
        EXPECT_FALSE(all_finite(values));
        x = 5e-324;
      }
  }
}

TEST_P(EveryTarget, FloatBinsHaveTheSameBits) {
  std::mt19937_64 random(3);
  const std::vector<float> values = wild_floats(100003, random);
  const auto bytes = std::as_bytes(std::span(values));
  const auto statistics = [&](FloatBins bins) {
    bins.add(bytes);
    return bins.finish();
  };
  const Statistics usual = statistics(FloatBins(Dtype::f32));
  const ForcedSimdTarget forced(GetParam());
  for (const std::uint64_t limit :
       {std::uint64_t{997}, std::uint64_t{50000}, FloatBins::elements_between_flushes}) {
    const Statistics other = statistics(FloatBins(Dtype::f32, limit));
    EXPECT_EQ(other.histogram, usual.histogram) << limit;
    EXPECT_EQ(std::memcmp(&other.moments, &usual.moments, offsetof(Moments, exactness)), 0) << limit;
    EXPECT_EQ(other.moments.exactness, usual.moments.exactness);
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, EveryTarget, testing::ValuesIn(simd_targets()),
                         [](const auto& target) { return target.param; });

TEST(FloatBins, CountsLowHalvesByDefinition) {
  std::mt19937_64 random(4);
  const std::vector<float> values = wild_floats(30000, random);
  std::vector<std::array<std::uint64_t, 3>> expected(65536);
  for (const float x : values) {
    const auto code = std::bit_cast<std::uint32_t>(x);
    const std::uint64_t low = code & 0xFFFFU;
    auto& [count, sum, squares] = expected[code >> 16U];
    ++count;
    sum += low;
    squares += low * low;
  }
  FloatBins bins(Dtype::f32, 7001);
  bins.add(std::as_bytes(std::span(values)));
  const Histogram h = bins.finish().histogram;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < h.code.size(); ++i) {
    EXPECT_EQ((std::array{h.count[i], h.low_sum[i], h.low_square_sum[i]}), expected[h.code[i]]) << h.code[i];
    seen += h.count[i];
  }
  EXPECT_EQ(seen, values.size());
}

TEST(FloatBins, AFullBinOfTheLargestLowHalvesDoesNotOverflow) {
  const std::vector<float> block(std::size_t{1} << 16, std::bit_cast<float>(0x3F80FFFFU));
  FloatBins bins(Dtype::f32);
  const std::uint64_t blocks = FloatBins::elements_between_flushes / block.size() + 1;
  for (std::uint64_t i = 0; i < blocks; ++i) bins.add(std::as_bytes(std::span(block)));
  const Histogram h = bins.finish().histogram;
  const std::uint64_t n = blocks * block.size();
  EXPECT_EQ(h.count, std::vector{n});
  EXPECT_EQ(h.low_sum, std::vector{n * 0xFFFFU});
  EXPECT_EQ(h.low_square_sum, std::vector{n * 0xFFFFU * 0xFFFFU});
}

TEST(FloatBins, TheFirstZeroStandsForBoth) {
  const auto least = [](std::vector<float> values) {
    FloatBins bins(Dtype::f32);
    bins.add(std::as_bytes(std::span(values)));
    return bins.finish().moments.min;
  };
  EXPECT_TRUE(std::signbit(least({2, -0.0F, 0.0F})));
  EXPECT_FALSE(std::signbit(least({2, 0.0F, -0.0F})));
  EXPECT_EQ(least({2, 0.0F, -1e-45F}), static_cast<double>(-1e-45F));
}

}  // namespace
}  // namespace stemma
