// Does the fixed tree of blocks find the moments, whatever the cuts?
#include "analyzers/numerics/block_moments.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

namespace stemma {
namespace {

TEST(BlockMoments, MergingEqualsTheWhole) {
  std::mt19937_64 generator(1);
  std::exponential_distribution<double> skewed(0.5);
  std::vector<double> values(4000);
  for (double& x : values) x = skewed(generator);
  const std::span all(values);
  const CentralSums whole = two_pass(all);
  const CentralSums parts = merged(two_pass(all.first(1234)), two_pass(all.subspan(1234)));
  EXPECT_EQ(parts.n, whole.n);
  EXPECT_NEAR(parts.mean, whole.mean, 1e-14 * whole.mean);
  EXPECT_NEAR(parts.m2, whole.m2, 1e-12 * whole.m2);
  EXPECT_NEAR(parts.m3, whole.m3, 1e-12 * whole.m3);
  EXPECT_NEAR(parts.m4, whole.m4, 1e-12 * whole.m4);
}

TEST(BlockMoments, SameBitsHoweverTheStreamIsCut) {
  std::mt19937_64 generator(2);
  std::normal_distribution<double> normal(10, 1);
  std::vector<double> values(BlockMoments::block_elements * 5 + 12345);
  for (double& x : values) x = normal(generator);
  values[17] = NAN;
  const std::span all(values);
  const auto through = [&](std::size_t chop) {
    BlockMoments blocks;
    for (std::size_t at = 0; at < all.size(); at += chop)
      blocks.add(all.subspan(at, std::min(chop, all.size() - at)));
    return blocks.finish();
  };
  const CentralSums whole = through(all.size());
  EXPECT_EQ(whole.n, all.size() - 1);
  long double mean = 0;
  for (const double x : all) mean += std::isnan(x) ? 0 : x;
  mean /= static_cast<long double>(whole.n);
  long double m2 = 0;
  for (const double x : all) m2 += std::isnan(x) ? 0 : (x - mean) * (x - mean);
  EXPECT_NEAR(whole.m2, static_cast<double>(m2), 1e-12 * whole.m2);
  for (const std::size_t chop : {std::size_t{1000003}, std::size_t{65536}, std::size_t{4097}}) {
    const CentralSums cut = through(chop);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(cut.mean), std::bit_cast<std::uint64_t>(whole.mean));
    EXPECT_EQ(std::bit_cast<std::uint64_t>(cut.m4), std::bit_cast<std::uint64_t>(whole.m4));
  }
}

}  // namespace
}  // namespace stemma
