// Are laws of fixed points those of counting all permutations, and their logarithms right when nobody can
// count?
#include "analyzers/numerics/fixed_points.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "analyzers/numerics/log_probability.hpp"

namespace stemma {
namespace {

constexpr double log_of_ten = 2.30258509299404568402;

/// Of all permutations of `labels`, how many have at least k of the first `pairs` labels fixed, for every k.
std::vector<std::uint64_t> counted(std::size_t labels, std::size_t pairs) {
  std::vector<std::size_t> order(labels);
  std::iota(order.begin(), order.end(), 0U);
  std::vector<std::uint64_t> out(pairs + 1);
  do {
    std::size_t fixed = 0;
    for (std::size_t i = 0; i < pairs; ++i) fixed += order[i] == i ? 1 : 0;
    for (std::size_t k = 0; k <= fixed; ++k) ++out[k];
  } while (std::next_permutation(order.begin(), order.end()));
  return out;
}

TEST(FixedPoints, ExactLawCountsPermutations) {
  EXPECT_THAT(counted(6, 6), testing::ElementsAre(720, 455, 191, 56, 16, 1, 1));
  for (std::size_t n = 0; n <= 8; ++n) {
    const auto counts = counted(n, n);
    const auto all = static_cast<double>(counts[0]);
    for (std::size_t k = 0; k <= n; ++k) {
      const double expected = std::log(static_cast<double>(counts[k]) / all);
      EXPECT_NEAR(log_fixed_points(k, n), expected, -2e-15 * expected) << k << " of " << n;
      EXPECT_LE(log_fixed_points(k, n), log_fixed_points_bound(k) + 1e-14);
    }
  }
}

TEST(FixedPoints, BoundOfPartialMatchingsHoldsForAllPermutations) {
  for (std::size_t labels = 1; labels <= 8; ++labels)
    for (std::size_t pairs = 0; pairs <= labels; ++pairs) {
      const auto counts = counted(labels, pairs);
      for (std::size_t k = 0; k <= pairs; ++k) {
        const double share = static_cast<double>(counts[k]) / static_cast<double>(counts[0]);
        const double bound = log_matched_points_bound(k, pairs, labels);
        EXPECT_GE(bound, std::log(share) - 1e-14);
        EXPECT_LE(bound, log_fixed_points_bound(k) + 1e-14);
        EXPECT_LE(bound, 0);
        // All pairs fixed is one event: there the bound is exact.
        if (k == pairs) {
          EXPECT_NEAR(bound, std::log(share), 1e-14);
        }
      }
    }
}

TEST(FixedPoints, SignedBoundHoldsForAllSignsAndPermutations) {
  constexpr std::size_t n = 5;
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), 0U);
  std::vector<double> counts(n + 1);
  do {
    for (unsigned signs = 0; signs < 1U << n; ++signs) {
      std::size_t fixed = 0;
      for (std::size_t i = 0; i < n; ++i) fixed += order[i] == i && (signs >> i & 1U) == 0 ? 1 : 0;
      for (std::size_t k = 0; k <= fixed; ++k) ++counts[k];
    }
  } while (std::next_permutation(order.begin(), order.end()));
  for (std::size_t k = 0; k <= n; ++k)
    EXPECT_LE(std::log(counts[k] / counts[0]), log_signed_points_bound(k) + 1e-14);
  EXPECT_NEAR(log_signed_points_bound(n), std::log(counts[n] / counts[0]), 1e-13);
}

struct Law {
  std::uint64_t k, n;
  double log_p;
};

// mpmath with 60 digits.
TEST(FixedPoints, ExactLawOfManyLabelsIsThatOf60Digits) {
  for (const auto& [k, n, log_p] : {Law{1, 352, -0.45867514538708189102},
                                    {2, 352, -1.3308932682040545336},
                                    {5, 352, -5.6103339828971544038},
                                    {10, 352, -16.009909825202021882},
                                    {100, 352, -364.72942620471961936},
                                    {351, 352, -1715.8491646738944502},
                                    {352, 352, -1715.8491646738944502},
                                    {1, 20000, -0.45867514538708189102},
                                    {7, 20000, -9.3937687496141273475},
                                    {171, 20000, -712.70889507963206678},
                                    {5000, 20000, -37592.1433088967719},
                                    {19998, 20000, -178056.50795927043779},
                                    {20000, 20000, -178075.62173719870031},
                                    {11008, 11008, -91442.176317269302057},
                                    {2, 9, -1.3309017862715230285}})
    EXPECT_NEAR(log_fixed_points(k, n), log_p, -1e-14 * log_p) << k << " of " << n;
  EXPECT_NEAR(log_fixed_points(11008, 11008) / log_of_ten, -39712.83, 0.005);
  const double bounds[] = {0, -0.3010, -2.0792, -6.5598};
  const std::uint64_t at[] = {1, 2, 5, 10};
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(log_fixed_points_bound(at[i]) / log_of_ten, bounds[i], 5e-5);
}

TEST(FixedPoints, ExactLawFallsAndStaysBelowItsBound) {
  for (const std::uint64_t n : {30U, 352U, 20000U})
    for (std::uint64_t k = 1; k <= n; k += k < 400 || k + 3 > n ? 1 : 97) {
      const double here = log_fixed_points(k, n);
      const double rounding = -1e-14 * here;
      ASSERT_LE(here, log_fixed_points(k - 1, n) + rounding) << k;
      ASSERT_LE(here, log_fixed_points_bound(k) + rounding) << k;
      ASSERT_TRUE(std::isfinite(here));
    }
}

TEST(FixedPoints, MatchedPairsOf60Digits) {
  const double none = log_matched_points_bound(0, 7, 100);
  EXPECT_EQ(none, 0);
  EXPECT_NEAR(log_matched_points_bound(3, 100, 352), -5.5888525079822240514, 1e-14);
  EXPECT_NEAR(log_matched_points_bound(100, 100, 352), -570.74905085639828237, 1e-12);
  EXPECT_NEAR(log_matched_points_bound(50, 200, 11008), -355.47331373520515609, 1e-12);
  EXPECT_NEAR(log_matched_points_bound(1, 1, 1000000), -13.815510557964274104, 1e-14);
  EXPECT_NEAR(log_matched_points_bound(11008, 11008, 11008), -91442.176317269302057, 1e-10);
  EXPECT_NEAR(log_matched_points_bound(4000, 5000, 14336), -35165.857760681884594, 1e-10);
}

TEST(FixedPoints, RefusesContradictions) {
  EXPECT_THROW(log_fixed_points(4, 3), std::invalid_argument);
  EXPECT_THROW(log_matched_points_bound(4, 3, 9), std::invalid_argument);
  EXPECT_THROW(log_matched_points_bound(2, 10, 9), std::invalid_argument);
}

}  // namespace
}  // namespace stemma
