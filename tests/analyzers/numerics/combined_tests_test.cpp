// Do combined p-values keep what they promise, far below the smallest double too?
#include "analyzers/numerics/combined_tests.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "analyzers/numerics/fixed_points.hpp"

namespace stemma {
namespace {

constexpr double ln10 = 2.30258509299404568402;

std::vector<double> bounds_of(std::initializer_list<std::uint64_t> fixed) {
  std::vector<double> out;
  for (const std::uint64_t k : fixed) out.push_back(log_fixed_points_bound(k));
  return out;
}

double sum_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double x : values) sum += x;
  return sum;
}

// Expected values: mpmath with 200 digits.
TEST(CombinedTests, FourLayersOfFullMatches) {
  const auto full = bounds_of({352, 352, 352, 352});
  EXPECT_NEAR(sum_of(full) / ln10, -2980.74, 0.005);
  EXPECT_NEAR(log_fisher(full), -6838.6861078178235009, 1e-10);
  EXPECT_NEAR(log_sum_bound(1408, 4), -6852.5366557292894364, 1e-10);
  EXPECT_NEAR(log_sum_poisson(1408, 4), -6856.5338128049069723, 1e-10);
  const auto part = bounds_of({80, 76, 77, 84});
  EXPECT_NEAR(sum_of(part) / ln10, -469.81, 0.005);
  EXPECT_NEAR(log_fisher(part), -1062.6130378198469825, 1e-11);
  EXPECT_NEAR(log_sum_bound(317, 4), -1073.1165498440926285, 1e-11);
  EXPECT_NEAR(log_sum_poisson(317, 4), -1076.9025442570825802, 1e-11);
  EXPECT_NEAR(log_fisher(bounds_of({1, 2, 1, 0})) / ln10, -0.0024, 5e-5);
  EXPECT_EQ(log_sum_bound(4, 4), 0);
}

TEST(CombinedTests, MillionsOfDigitsDoNotUnderflow) {
  const std::vector<double> layers(32, log_fixed_points_bound(11008));
  EXPECT_NEAR(log_fisher(layers), -2925766.1692275309138, 1e-8);
  EXPECT_NEAR(log_sum_bound(32 * 11008, 32), -2926003.3338363442844, 1e-8);
  EXPECT_NEAR(log_sum_poisson(32 * 11008, 32), -2926010.638740998654, 1e-8);
  EXPECT_TRUE(std::isfinite(log_fisher(std::vector<double>(1000, -1e9))));
}

TEST(CombinedTests, SmallBoundsOfSums) {
  EXPECT_NEAR(log_sum_bound(5, 4), -0.11571775657104877883, 1e-14);
  EXPECT_NEAR(log_sum_bound(40, 4), -56.103403719761827361, 1e-12);
  EXPECT_NEAR(log_sum_bound(6, 5), -0.09392934076372775727, 1e-14);
  EXPECT_EQ(log_sum_bound(0, 0), 0);
  EXPECT_EQ(log_sum_poisson(0, 0), 0);
  EXPECT_THROW(log_sum_bound(1, 0), std::invalid_argument);
  EXPECT_THROW(log_sum_poisson(1, 0), std::invalid_argument);
}

/// The law of a sum of independent numbers of fixed points, by convolution.
TEST(CombinedTests, BoundOfSumsHoldsForExactLaws) {
  for (const std::uint64_t n : {3U, 6U, 20U})
    for (const std::uint64_t tests : {1U, 2U, 5U}) {
      std::vector<double> one(n + 1), law{1};
      for (std::uint64_t k = 0; k <= n; ++k)
        one[k] = std::exp(log_fixed_points(k, n)) - (k < n ? std::exp(log_fixed_points(k + 1, n)) : 0);
      for (std::uint64_t t = 0; t < tests; ++t) {
        std::vector<double> next(law.size() + n);
        for (std::size_t a = 0; a < law.size(); ++a)
          for (std::size_t b = 0; b <= n; ++b) next[a + b] += law[a] * one[b];
        law = next;
      }
      double tail = 0;
      for (std::size_t k = law.size(); k-- > 0;) {
        tail += law[k];
        EXPECT_LE(tail, std::exp(log_sum_bound(k, tests)) + 1e-12) << k << " of " << tests << " x " << n;
      }
    }
}

TEST(CombinedTests, FisherOfOneAndOfNothing) {
  EXPECT_EQ(log_fisher({}), 0);
  EXPECT_EQ(log_fisher(std::array{0.0, 0.0}), 0);
  for (const double p : {-1e-12, -0.3, -40.0, -1e6}) EXPECT_NEAR(log_fisher(std::array{p}), p, -1e-13 * p);
  // Two tests: p1 p2 (1 - ln p1 p2).
  EXPECT_NEAR(log_fisher(std::array{-1.0, -2.0}), -3 + std::log(4.0), 1e-15);
}

TEST(CombinedTests, RefusesWhatIsNoProbability) {
  for (const double bad : {1e-3, static_cast<double>(NAN), -std::numeric_limits<double>::infinity()}) {
    EXPECT_THROW(log_fisher(std::array{-1.0, bad}), std::invalid_argument);
    EXPECT_THROW(log_partial_conjunction(std::array{-1.0, bad}, 1), std::invalid_argument);
    EXPECT_THROW(log_best_of(bad, 2), std::invalid_argument);
  }
}

TEST(CombinedTests, PartialConjunctionTakesTheLargest) {
  const std::array log_p{-1.0, -30.0, -0.5, -7.0};
  EXPECT_EQ(log_partial_conjunction(log_p, 1), log_fisher(std::array{-0.5, -1.0, -7.0, -30.0}));
  EXPECT_EQ(log_partial_conjunction(log_p, 3), log_fisher(std::array{-0.5, -1.0}));
  EXPECT_NEAR(log_partial_conjunction(log_p, 4), -0.5, 1e-15);
  EXPECT_THROW(log_partial_conjunction(log_p, 0), std::invalid_argument);
  EXPECT_THROW(log_partial_conjunction(log_p, 5), std::invalid_argument);
}

TEST(CombinedTests, PartialConjunctionIsValidWithoutAFactor) {
  // Five tests, u = 3: two hypotheses are false beyond doubt, three true, which is the worst case.
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform(1e-12, 1);
  constexpr int draws = 20000;
  int found = 0;
  for (int i = 0; i < draws; ++i) {
    std::array<double, 5> log_p{-1e4, -1e4};
    for (std::size_t t = 2; t < 5; ++t) log_p[t] = std::log(uniform(random));
    found += log_partial_conjunction(log_p, 3) <= std::log(0.05) ? 1 : 0;
  }
  EXPECT_NEAR(found / static_cast<double>(draws), 0.05, 4 * std::sqrt(0.05 / draws));
}

TEST(CombinedTests, AgreementsBeyondAShare) {
  EXPECT_EQ(agreements_beyond(172, 172, 0.1), 154U);
  EXPECT_EQ(agreements_beyond(18, 172, 0.1), 0U);
  EXPECT_EQ(agreements_beyond(0, 172, 0.1), 0U);
  EXPECT_EQ(agreements_beyond(5, 172, 0), 5U);
  EXPECT_EQ(agreements_beyond(172, 172, 1), 0U);
  EXPECT_EQ(agreements_beyond(10, 100, 0.07), 3U);  // 0.07 * 100 is above 7
  for (std::uint64_t tens = 1; tens < 2000; ++tens)
    EXPECT_EQ(agreements_beyond(10 * tens, 10 * tens, 0.1), 9 * tens);
  EXPECT_THROW(agreements_beyond(1, 2, 1.5), std::invalid_argument);
  EXPECT_THROW(agreements_beyond(1, 2, NAN), std::invalid_argument);
}

TEST(CombinedTests, BestOfCandidatesAndConformal) {
  EXPECT_EQ(log_best_of(-0.5, 7), 0);
  EXPECT_NEAR(log_best_of(-1e6, 22), -1e6 + std::log(22.0), 1e-9);
  EXPECT_EQ(log_best_of(-3, 1), -3);
  EXPECT_THROW(log_best_of(-3, 0), std::invalid_argument);
  const std::vector<double> null{0.1, 0.5, 0.5, 0.2};
  EXPECT_NEAR(log_conformal(0.5, null), std::log(3.0 / 5), 1e-15);
  EXPECT_NEAR(log_conformal(0.6, null), std::log(1.0 / 5), 1e-15);
  EXPECT_EQ(log_conformal(0, null), 0);
  EXPECT_EQ(log_conformal(0, {}), 0);
  EXPECT_THROW(log_conformal(NAN, null), std::invalid_argument);
  EXPECT_THROW(log_conformal(0, std::array{static_cast<double>(NAN)}), std::invalid_argument);
}

}  // namespace
}  // namespace stemma
