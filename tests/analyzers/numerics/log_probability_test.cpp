// Are logarithms of factorials and Poisson tails those of 200-digit arithmetic?
#include "analyzers/numerics/log_probability.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace stemma {
namespace {

TEST(LogProbability, FactorialsAreThoseOfLongDouble) {
  for (std::uint64_t n = 0; n < 5000; ++n) {
    const auto expected = static_cast<double>(std::lgamma(static_cast<long double>(n) + 1));
    EXPECT_NEAR(log_factorial(n), expected, 1e-15 * expected) << n;
  }
  for (const std::uint64_t n : {1000003ULL, 1ULL << 40U}) {
    const auto expected = static_cast<double>(std::lgamma(static_cast<long double>(n) + 1));
    EXPECT_NEAR(log_factorial(n), expected, 1e-15 * expected) << n;
  }
}

TEST(LogProbability, ExponentialsAndComplementsToTwoUlp) {
  for (double x = -744; x <= 0; x += 0.37) {
    const auto expected = static_cast<double>(std::exp(static_cast<long double>(x)));
    EXPECT_NEAR(exp_of_negative(x), expected, 5e-16 * expected + 5e-324) << x;
  }
  EXPECT_EQ(exp_of_negative(0), 1);
  EXPECT_EQ(exp_of_negative(-1e6), 0);
  for (double p = 1e-300; p < 1; p *= 1.9) {
    const auto expected = static_cast<double>(std::log1p(-static_cast<long double>(p)));
    EXPECT_NEAR(log_of_complement(p), expected, -1e-15 * expected) << p;
  }
  EXPECT_EQ(log_of_complement(0), 0);
  EXPECT_EQ(log_of_complement(1), -std::numeric_limits<double>::infinity());
}

struct Tail {
  std::uint64_t k;
  double mean, log_p;
};

// mpmath with 200 digits.
TEST(LogProbability, PoissonTailsAreThoseOf200Digits) {
  for (const auto& [k, mean, log_p] : {Tail{4, 0.6931471805599453, -0.005576622402728985515},
                                       {1, 2, -2},
                                       {10, 3.5, -0.0033204508651213363419},
                                       {3, 50, -42.829111521487494725},
                                       {100, 100, -0.72010489302547398253},
                                       {1000, 900, -0.00055005351741434473125},
                                       {32, 2926079.5, -2925696.0278180167511},
                                       {64, 1e7, -9999185.5692840888882}})
    EXPECT_NEAR(log_poisson_below(k, mean), log_p, std::max(-1e-14 * log_p, 4e-15 * mean * -log_p)) << k;
  for (const auto& [k, mean, log_p] : {Tail{1, 4, -0.018485446825886560529},
                                       {2, 4, -0.09604646468356156003},
                                       {4, 4, -0.56822545562735241733},
                                       {9, 4, -3.8460744871796090553},
                                       {317, 4, -1076.9025442570825802},
                                       {1408, 4, -6856.5338128049069723},
                                       {352256, 32, -2926010.638740998654},
                                       {900, 1000, -0.00062279167875856679047},
                                       {60, 64, -0.3450134976100204359},
                                       {1, 1e-9, -20.723265837446411094}})
    EXPECT_NEAR(log_poisson_at_least(k, mean), log_p, std::max(-1e-14 * log_p, 4e-15 * mean * -log_p)) << k;
}

TEST(LogProbability, BothTailsOfPoissonAreOne) {
  for (const double mean : {0.01, 0.7, 5.0, 40.0, 3000.0})
    for (std::uint64_t k = 1; k < 200; k += 3)
      EXPECT_NEAR(std::exp(log_poisson_at_least(k, mean)) + std::exp(log_poisson_below(k, mean)), 1, 1e-12);
  EXPECT_EQ(log_poisson_at_least(0, 3), 0);
  EXPECT_EQ(log_poisson_below(7, 0), 0);
  EXPECT_EQ(log_poisson_below(0, 3), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(log_poisson_at_least(1, 0), -std::numeric_limits<double>::infinity());
  EXPECT_THROW(log_poisson_below(1, -1), std::invalid_argument);
  EXPECT_THROW(log_poisson_at_least(1, NAN), std::invalid_argument);
}

}  // namespace
}  // namespace stemma
