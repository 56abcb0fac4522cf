// Are the closed forms of exact counts what two-pass sums in long double say, and immune to cutting?
#include "analyzers/numerics/exact_histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <random>

#include "analyzers/numerics/tensor_statistics.hpp"
#include "io/model/widen.hpp"

namespace stemma {
namespace {

std::uint16_t bf16(float x) {  // round to nearest even
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16U & 1U)) >> 16U);
}

template <typename T>
std::vector<std::byte> bytes_of(const std::vector<T>& values) {
  std::vector<std::byte> out(values.size() * sizeof(T));
  std::memcpy(out.data(), values.data(), out.size());
  return out;
}

std::vector<std::uint16_t> random_codes(Dtype dtype, std::size_t n, double mean, double spread) {
  std::mt19937_64 generator(n);
  std::normal_distribution<double> normal(mean, spread);
  std::vector<std::uint16_t> codes(n);
  for (auto& code : codes) {
    // Any rounding will do for f16: the reference widens the codes again.
    const auto x = static_cast<float>(normal(generator));
    code = bf16(x);
    if (dtype == Dtype::f16) {
      const auto half = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(std::abs(x)) >> 13U);
      code = static_cast<std::uint16_t>(
          std::abs(x) < 0x1p-14F ? 0 : (x < 0 ? 0x8000U : 0U) | (half - (112U << 10U)));
    }
  }
  return codes;
}

Statistics statistics(Dtype dtype, std::span<const std::byte> bytes, std::size_t chop) {
  TensorStatistics counter(dtype);
  for (std::size_t at = 0; at < bytes.size(); at += chop) {
    counter.add(bytes.subspan(at, std::min(chop, bytes.size() - at)));
  }
  return counter.finish();
}

struct Reference {
  long double n = 0, mean = 0, m2 = 0, m3 = 0, m4 = 0, squares = 0, absolute = 0;
};

Reference two_passes(Dtype dtype, std::span<const std::byte> bytes) {
  std::vector<double> values(bytes.size() * 8 / bits_of(dtype));
  widen(dtype, bytes, values);
  Reference r;
  for (const double x : values) {
    if (!std::isfinite(x)) continue;
    r.n += 1;
    r.mean += x;
    r.squares += static_cast<long double>(x) * x;
    r.absolute += std::abs(x);
  }
  r.mean /= r.n;
  for (const double x : values) {
    if (!std::isfinite(x)) continue;
    const long double d = x - r.mean;
    r.m2 += d * d;
    r.m3 += d * d * d;
    r.m4 += d * d * d * d;
  }
  return r;
}

void expect_close(double found, long double expected, double relative) {
  EXPECT_LE(std::abs(static_cast<long double>(found) - expected), relative * std::abs(expected) + 1e-300L)
      << found << " against " << static_cast<double>(expected);
}

void expect_reference(const Moments& m, const Reference& r, double fourth = 1e-10) {
  const long double variance = r.m2 / r.n;
  expect_close(m.std_unbiased, std::sqrt(r.m2 / (r.n - 1)), 1e-12);
  expect_close(m.variance, variance, 1e-12);
  expect_close(m.frobenius_sq, r.squares, 1e-12);
  expect_close(m.l1, r.absolute, 1e-12);
  const double deviation = static_cast<double>(std::sqrt(variance));
  EXPECT_NEAR(m.mean, static_cast<double>(r.mean), 1e-13 * (deviation + std::abs(m.mean)));
  EXPECT_NEAR(m.skewness, static_cast<double>(r.m3 / r.n / (variance * std::sqrt(variance))), fourth);
  expect_close(m.kurtosis_excess + 3, r.m4 / r.n / (variance * variance), fourth);
}

bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

void expect_same_bits(const Moments& a, const Moments& b) {
  for (double Moments::*field : {&Moments::mean, &Moments::variance, &Moments::std_unbiased,
                                 &Moments::skewness, &Moments::kurtosis_excess, &Moments::frobenius_sq,
                                 &Moments::l1, &Moments::entropy_bits, &Moments::min, &Moments::max}) {
    EXPECT_TRUE(same_bits(a.*field, b.*field)) << a.*field << " and " << b.*field;
  }
}

class SixteenBits : public testing::TestWithParam<std::tuple<Dtype, std::size_t, double>> {};

TEST_P(SixteenBits, AgreesWithTwoPassesInLongDouble) {
  const auto [dtype, n, mean] = GetParam();
  const auto bytes = bytes_of(random_codes(dtype, n, mean, 0.02));
  expect_reference(statistics(dtype, bytes, bytes.size()).moments, two_passes(dtype, bytes));
}

TEST_P(SixteenBits, SameBitsHoweverTheStreamIsCut) {
  const auto [dtype, n, mean] = GetParam();
  const auto bytes = bytes_of(random_codes(dtype, n, mean, 0.02));
  const Statistics whole = statistics(dtype, bytes, bytes.size());
  for (const std::size_t elements : {std::size_t{1}, std::size_t{3}, std::size_t{7}, std::size_t{16383}}) {
    const Statistics cut = statistics(dtype, bytes, 2 * elements);
    EXPECT_EQ(cut.histogram, whole.histogram);
    expect_same_bits(cut.moments, whole.moments);
  }
}

INSTANTIATE_TEST_SUITE_P(Types, SixteenBits,
                         testing::Combine(testing::Values(Dtype::bf16, Dtype::f16),
                                          testing::Values(std::size_t{5000}, std::size_t{100000}),
                                          testing::Values(0.0, 3.0)));

TEST(ExactHistogram, CountsEverySpecialValue) {
  // NaN, two infinities, both zeros, a subnormal, 1 twice, -2
  const std::vector<std::uint16_t> codes = {0x7FC1, 0x7F80, 0xFF80, 0x0000, 0x8000,
                                            0x0001, 0x3F80, 0x3F80, 0xC000};
  const auto bytes = bytes_of(codes);
  const Moments m = statistics(Dtype::bf16, bytes, 2).moments;
  EXPECT_EQ(m.n, 9U);
  EXPECT_EQ(m.n_nan, 1U);
  EXPECT_EQ(m.n_pos_inf, 1U);
  EXPECT_EQ(m.n_neg_inf, 1U);
  EXPECT_EQ(m.n_pos_zero, 1U);
  EXPECT_EQ(m.n_neg_zero, 1U);
  EXPECT_EQ(m.n_subnormal, 1U);
  EXPECT_EQ(m.n_positive, 3U);
  EXPECT_EQ(m.n_negative, 1U);
  EXPECT_EQ(m.n_distinct, 5U);
  EXPECT_EQ(m.min, -2);
  EXPECT_EQ(m.max, 1);
  EXPECT_EQ(m.abs_max, 2);
  EXPECT_EQ(m.abs_min_nonzero, 0x1p-133);
  expect_reference(m, two_passes(Dtype::bf16, bytes));
}

TEST(ExactHistogram, QuantilesAreOrderStatistics) {
  std::vector<std::uint16_t> codes = random_codes(Dtype::bf16, 20011, -0.001, 0.02);
  const Moments m = statistics(Dtype::bf16, bytes_of(codes), 4096).moments;
  std::vector<double> values(codes.size());
  widen(Dtype::bf16, bytes_of(codes), values);
  std::sort(values.begin(), values.end());
  for (std::size_t i = 0; i < quantile_probabilities.size(); ++i) {
    const auto [a, d] = quantile_probabilities[i];
    const std::size_t rank = std::max<std::size_t>(1, (a * values.size() + d - 1) / d);
    EXPECT_EQ(m.quantile[i], values[rank - 1]) << a << "/" << d;
  }
}

TEST(ExactHistogram, EntropyInBits) {
  Histogram h;
  h.code = {1, 2, 3, 4};
  h.count = {8, 8, 8, 8};
  EXPECT_EQ(moments_of(h).entropy_bits, 2);
  h.count = {16, 8, 4, 4};
  EXPECT_DOUBLE_EQ(moments_of(h).entropy_bits, 1.75);
  h.code = {0x7FC0};  // NaN payloads carry information too
  h.count = {5};
  EXPECT_EQ(moments_of(h).entropy_bits, 0);
}

TEST(ExactHistogram, ConstantTensorHasNoSpreadAndNoShape) {
  Histogram h;
  h.code = {0x3E9A};
  h.count = {12345};
  const Moments m = moments_of(h);
  EXPECT_EQ(m.variance, 0);
  EXPECT_EQ(m.std_unbiased, 0);
  EXPECT_TRUE(std::isnan(m.skewness));
  EXPECT_EQ(m.mean, value_of_code(Dtype::bf16, 0x3E9A));
  EXPECT_EQ(m.n_distinct, 1U);
}

TEST(ExactHistogram, MergingPartsEqualsCountingTheWhole) {
  const auto bytes = bytes_of(random_codes(Dtype::bf16, 50000, 0, 0.02));
  const std::span all(bytes);
  const auto part = [](std::span<const std::byte> b) {
    return statistics(Dtype::bf16, b, b.size()).histogram;
  };
  EXPECT_EQ(merged(part(all.first(20000)), part(all.subspan(20000))), part(all));
  EXPECT_EQ(merged(part(all.subspan(20000)), part(all.first(20000))), part(all));
  Histogram other;
  other.dtype = Dtype::f16;
  EXPECT_THROW(merged(part(all), other), std::invalid_argument);
}

TEST(ExactHistogram, CheckFindsEveryAlteredNumber) {
  const Statistics s = statistics(Dtype::bf16, bytes_of(random_codes(Dtype::bf16, 999, 0, 1)), 2);
  EXPECT_TRUE(check_moments(s.histogram, s.moments).empty());
  Moments altered = s.moments;
  altered.std_unbiased = std::nextafter(altered.std_unbiased, 2);
  ASSERT_EQ(check_moments(s.histogram, altered).size(), 1U);
  EXPECT_TRUE(check_moments(s.histogram, altered)[0].starts_with("std_unbiased"));
  altered = s.moments;
  altered.quantile[6] += 1;
  EXPECT_EQ(check_moments(s.histogram, altered).size(), 1U);
  Histogram counts = s.histogram;
  ++counts.count[0];
  EXPECT_FALSE(check_moments(counts, s.moments).empty());
}

TEST(ExactHistogram, EightBitFloats) {
  std::vector<std::uint8_t> codes(30000);
  std::mt19937 generator(7);
  for (auto& code : codes) code = static_cast<std::uint8_t>(generator());
  for (const Dtype dtype : {Dtype::f8_e4m3, Dtype::f8_e5m2}) {
    const auto bytes = bytes_of(codes);
    const Statistics whole = statistics(dtype, bytes, bytes.size());
    EXPECT_EQ(whole.histogram.kind, HistogramKind::code8);
    EXPECT_GT(whole.moments.n_nan, 0U);
    expect_reference(whole.moments, two_passes(dtype, bytes));
    EXPECT_EQ(statistics(dtype, bytes, 13).histogram, whole.histogram);
  }
}

TEST(FloatBins, CentredWeightsUseIntegersAndAreOrderFree) {
  std::mt19937_64 generator(3);
  std::normal_distribution<float> normal(0, 0.02F);
  std::vector<float> values(300000);
  for (float& x : values) x = std::clamp(normal(generator), -0.08F, 0.08F);
  const auto bytes = bytes_of(values);
  const Statistics s = statistics(Dtype::f32, bytes, bytes.size());
  EXPECT_EQ(s.moments.exactness, Exactness::f32_integer);
  expect_reference(s.moments, two_passes(Dtype::f32, bytes), 1e-8);
  EXPECT_TRUE(check_moments(s.histogram, s.moments).empty());
  std::shuffle(values.begin(), values.end(), generator);
  const Statistics shuffled = statistics(Dtype::f32, bytes_of(values), 12);
  EXPECT_EQ(shuffled.histogram, s.histogram);
  expect_same_bits(shuffled.moments, s.moments);
}

TEST(FloatBins, NarrowSpreadFallsBackToBlocksForShape) {
  std::mt19937_64 generator(4);
  std::normal_distribution<float> normal(3, 0.02F);
  std::vector<float> values((1U << 20U) * 2 + 77);
  for (float& x : values) x = normal(generator);
  const auto bytes = bytes_of(values);
  const Statistics s = statistics(Dtype::f32, bytes, bytes.size());
  EXPECT_EQ(s.moments.exactness, Exactness::blocks);
  expect_reference(s.moments, two_passes(Dtype::f32, bytes));
  expect_same_bits(statistics(Dtype::f32, bytes, 4 * 1000003).moments, s.moments);
  EXPECT_TRUE(check_moments(s.histogram, s.moments).empty());
}

TEST(FloatBins, QuantilesAreLowerEndsOfTheirBins) {
  const std::vector<float> values = {-2, -1, -0.5F, 0.25F, 1, 1.0039F, 2, 3, 4, 5};
  const Moments m = statistics(Dtype::f32, bytes_of(values), 4).moments;
  EXPECT_EQ(m.quantile.front(), -2);
  EXPECT_EQ(m.quantile.back(), 5);
  EXPECT_EQ(m.quantile[6], 1);  // median: the fifth of ten
}

TEST(FloatBins, DoublesAndConstants) {
  std::mt19937_64 generator(5);
  std::normal_distribution<double> normal(-1e3, 1);
  std::vector<double> values(2500000);
  for (double& x : values) x = normal(generator);
  const auto bytes = bytes_of(values);
  const Statistics s = statistics(Dtype::f64, bytes, bytes.size());
  EXPECT_EQ(s.moments.exactness, Exactness::blocks);
  expect_reference(s.moments, two_passes(Dtype::f64, bytes), 1e-9);
  expect_same_bits(statistics(Dtype::f64, bytes, 8 * 1000003).moments, s.moments);

  const std::vector<float> constant(1001, 0.1F);
  const Moments m = statistics(Dtype::f32, bytes_of(constant), 400).moments;
  EXPECT_EQ(m.std_unbiased, 0);
  EXPECT_EQ(m.mean, static_cast<double>(0.1F));
  EXPECT_EQ(m.n_distinct, 1U);
}

TEST(FloatBins, SubnormalsAndSpecialValues) {
  const std::vector<float> values = {0.0F,      -0.0F, 1e-42F,  -1e-45F, INFINITY,
                                     -INFINITY, NAN,   3.4e38F, -3.4e38F};
  const Statistics s = statistics(Dtype::f32, bytes_of(values), 4);
  EXPECT_EQ(s.moments.n_subnormal, 2U);
  EXPECT_EQ(s.moments.n_nan, 1U);
  EXPECT_EQ(s.moments.n_pos_inf, 1U);
  EXPECT_EQ(s.moments.n_neg_zero, 1U);
  EXPECT_EQ(s.moments.finite(), 6U);
  expect_reference(s.moments, two_passes(Dtype::f32, bytes_of(values)));
  EXPECT_EQ(s.moments.abs_min_nonzero, static_cast<double>(1e-45F));
}

TEST(TensorStatistics, IntegersHaveCountsOnly) {
  const std::vector<std::int16_t> values = {0, 5, -3, 0, 7};
  const Statistics s = statistics(Dtype::i16, bytes_of(values), 2);
  EXPECT_EQ(s.moments.n, 5U);
  EXPECT_EQ(s.moments.n_pos_zero, 2U);
  EXPECT_EQ(s.moments.n_positive, 2U);
  EXPECT_EQ(s.moments.n_negative, 1U);
  EXPECT_TRUE(std::isnan(s.moments.mean));
  EXPECT_TRUE(s.histogram.code.empty());
}

}  // namespace
}  // namespace stemma
