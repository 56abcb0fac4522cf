// Are discoveries those that the definition gives, and are they found when probabilities underflow?
#include "analyzers/numerics/false_discovery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

namespace stemma {
namespace {

TEST(FalseDiscovery, HarmonicNumbersOf60Digits) {
  EXPECT_EQ(harmonic_number(1), 1);
  EXPECT_EQ(harmonic_number(2), 1.5);
  EXPECT_NEAR(harmonic_number(10), 2.9289682539682539683, 1e-15);
  EXPECT_NEAR(harmonic_number(1000), 7.4854708605503449127, 2e-15);
  EXPECT_NEAR(harmonic_number(1001), 7.4864698615493459117, 2e-15);
  EXPECT_NEAR(harmonic_number(50000000), 18.30474923829395299, 1e-14);
  EXPECT_NEAR(harmonic_number(1000000000000), 28.208236780830581069, 1e-14);
}

/// The largest i with p_(i) <= i q / (M H_M), in probabilities; all up to it are found.
std::vector<bool> by_definition(std::vector<double> p, std::uint64_t tests, double q) {
  const std::vector<double> given = p;
  p.resize(tests, 1);
  std::sort(p.begin(), p.end());
  double harmonic = 0, limit = -1;
  for (std::uint64_t j = 1; j <= tests; ++j) harmonic += 1 / static_cast<double>(j);
  for (std::uint64_t i = 1; i <= tests; ++i)
    if (p[i - 1] <= static_cast<double>(i) * q / (static_cast<double>(tests) * harmonic)) limit = p[i - 1];
  std::vector<bool> out;
  for (const double x : given) out.push_back(x <= limit);
  return out;
}

TEST(FalseDiscovery, FollowsItsDefinition) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int trial = 0; trial < 500; ++trial) {
    std::vector<double> p(1 + random() % 30), log_p;
    for (double& x : p) x = std::pow(uniform(random), 1 + static_cast<double>(random() % 8)) + 1e-300;
    if (p.size() > 2) p[0] = p[1];
    for (double& x : p) log_p.push_back(std::min(0.0, std::log(x)));
    const std::uint64_t tests = p.size() + random() % 40;
    const auto levels = log_discovery_levels(log_p, tests);
    for (const double q : {0.01, 0.05, 0.3, 0.9})
      EXPECT_EQ(discoveries(levels, q), by_definition(p, tests, q));
    // A level is the least at which its test is found.
    for (std::size_t i = 0; i < p.size(); ++i) {
      if (levels[i] == 0) continue;
      EXPECT_TRUE(by_definition(p, tests, std::exp(levels[i]) * (1 + 1e-12))[i]);
      EXPECT_FALSE(by_definition(p, tests, std::exp(levels[i]) * (1 - 1e-12))[i]);
    }
  }
}

TEST(FalseDiscovery, FindsFewAmongFiftyMillion) {
  const std::array log_p{-1e6, std::log(1e-5), -40.0, 0.0};
  const auto levels = log_discovery_levels(log_p, 50000000);
  const double factor = std::log(5e7 * 18.30474923829395299);
  EXPECT_NEAR(levels[0], -1e6 + factor, 1e-9);
  EXPECT_NEAR(levels[2], -40 + factor - std::log(2.0), 1e-13);
  EXPECT_EQ(levels[1], 0);
  EXPECT_EQ(levels[3], 0);
  EXPECT_THAT(discoveries(levels, 0.01), testing::ElementsAre(true, false, true, false));
}

TEST(FalseDiscovery, KnowsItsLimits) {
  EXPECT_TRUE(log_discovery_levels({}, 0).empty());
  EXPECT_TRUE(log_discovery_levels({}, 5).empty());
  EXPECT_NEAR(log_discovery_levels(std::array{-3.0}, 1)[0], -3, 1e-15);
  EXPECT_THROW(log_discovery_levels(std::array{-1.0, -2.0}, 1), std::invalid_argument);
  EXPECT_THROW(log_discovery_levels(std::array{0.1}, 1), std::invalid_argument);
  EXPECT_THROW(discoveries(std::array{-1.0}, 1), std::invalid_argument);
  EXPECT_THROW(discoveries(std::array{-1.0}, NAN), std::invalid_argument);
}

}  // namespace
}  // namespace stemma
