// Are the closed forms those of the gradient itself, and are inputs what the paper's table says?
#include "analyzers/tensorguard_response.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <numeric>

#include "analyzers/numerics/random_numbers.hpp"
#include "analyzers/tensorguard_inputs.hpp"

namespace stemma {
namespace {

constexpr GuardNoise by_size[] = {GuardNoise::gaussian, GuardNoise::structured, GuardNoise::low_frequency,
                                  GuardNoise::high_frequency};

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// m x n, row by row.
std::vector<double> weights(std::uint64_t seed, std::size_t m, std::size_t n) {
  return normal_numbers(seed, 99, m * n);
}

std::vector<double> times(std::span<const double> matrix, std::span<const double> x) {
  std::vector<double> y;
  for (std::size_t row = 0; row < matrix.size() / x.size(); ++row)
    y.push_back(dot(matrix.subspan(row * x.size(), x.size()), x));
  return y;
}

GradientFeatures closed_form(std::span<const double> y, std::span<const double> x) {
  ResponseSums sums;
  for (const double element : y) sums.add(element);
  return gradient_features(sums, x);
}

/// From every element of the gradient, as the original does.
GradientFeatures explicit_gradient(std::span<const double> y, std::span<const double> x) {
  std::vector<double> g;
  const double length = std::sqrt(dot(y, y));
  for (const double yi : y)
    for (const double xj : x) g.push_back(yi / length * xj);
  const double n = static_cast<double>(g.size());
  const auto central = [&](int power, double about) {
    double sum = 0;
    for (const double element : g) sum += std::pow(element - about, power);
    return sum / n;
  };
  const double mean = central(1, 0), variance = central(2, mean);
  return {mean, std::sqrt(variance), std::sqrt(dot(g, g)), central(3, mean) / std::pow(variance, 1.5),
          central(4, mean) / (variance * variance) - 3};
}

TEST(GradientFeatures, ClosedFormEqualsTheGradient) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const std::vector<double> w = weights(seed, 300, 200), x = guard_base(seed, 200);
    for (const GuardNoise noise : by_size) {
      const std::vector<double> input = guard_input(noise, seed, x), y = times(w, input);
      const auto fast = closed_form(y, input).values(), slow = explicit_gradient(y, input).values();
      for (std::size_t i = 0; i < fast.size(); ++i)
        EXPECT_NEAR(fast[i], slow[i], 1e-10 * std::max(std::abs(slow[i]), 1e-3)) << i;
    }
  }
}

TEST(GradientFeatures, NormAndDeviationSeeNoWeight) {
  const std::vector<double> x = guard_base(4, 120);
  const auto first = closed_form(times(weights(1, 80, 120), x), x);
  for (const std::uint64_t seed : {2U, 3U}) {
    const auto other = closed_form(times(weights(seed, 80, 120), x), x);
    EXPECT_DOUBLE_EQ(other.norm, first.norm);
    EXPECT_NEAR(other.std, first.std, 1e-3 * first.std);
    EXPECT_NE(other.kurtosis, first.kurtosis);
  }
  EXPECT_DOUBLE_EQ(first.norm, std::sqrt(dot(x, x)));
}

TEST(GradientFeatures, AZeroMatrixHasNoGradient) {
  const std::vector<double> x = guard_base(4, 12), y(5, 0.0);
  EXPECT_EQ(closed_form(y, x).values(), GradientFeatures{}.values());
}

TEST(GuardInputs, HaveTheNormsOfTheTable) {
  constexpr std::uint64_t n = 4096;
  const double expected[] = {1.00499, 1.32288, 1.01304, 1.05119};
  for (std::size_t i = 0; i < std::size(by_size); ++i) {
    double sum = 0;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const std::vector<double> input = guard_input(by_size[i], seed, guard_base(seed, n));
      sum += std::sqrt(dot(input, input) / n) / 20;
    }
    EXPECT_NEAR(sum, expected[i], 0.01 * expected[i]) << i;
  }
}

TEST(GuardInputs, BandsAreThoseOfTheFourierTransform) {
  for (const std::size_t n : {1U, 2U, 7U, 12U, 97U, 128U}) {
    const std::vector<double> x = guard_base(7, n);
    const std::size_t bins = n / 2 + 1;
    for (const auto& [noise, factor, from, to] :
         {std::tuple{GuardNoise::structured, 1.0, std::size_t{0}, bins / 4},
          {GuardNoise::low_frequency, 0.1, std::size_t{0}, bins / 8},
          {GuardNoise::high_frequency, 0.1, bins / 2, bins}}) {
      const std::vector<double> input = guard_input(noise, 7, x);
      for (std::size_t j = 0; j < n; ++j) {
        // One bin after the other, by the definition of the transform.
        double band = 0;
        for (std::size_t k = from; k < to; ++k) {
          std::complex<double> bin = 0;
          for (std::size_t i = 0; i < n; ++i)
            bin += x[i] * std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(k * i) /
                                              static_cast<double>(n));
          const bool real = k == 0 || 2 * k == n;  // the others stand for two frequencies
          band += (real ? 1 : 2) / static_cast<double>(n) *
                  (bin * std::polar(
                             1.0, 2 * std::numbers::pi * static_cast<double>(k * j) / static_cast<double>(n)))
                      .real();
        }
        EXPECT_NEAR(input[j], x[j] + factor * band, 1e-12) << n << " " << j;
      }
    }
  }
}

TEST(GuardInputs, AreNormalAndIndependentOfLength) {
  const std::vector<double> x = guard_base(0, 200'000), shorter = guard_base(0, 1001);
  EXPECT_TRUE(std::equal(shorter.begin(), shorter.end(), x.begin()));
  ResponseSums sums;
  for (const double element : x) sums.add(element);
  const double n = static_cast<double>(x.size());
  EXPECT_NEAR(sums.power[0] / n, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(sums.power[1] / n, 1, 5 * std::sqrt(2 / n));
  EXPECT_NEAR(sums.power[2] / n, 0, 5 * std::sqrt(15 / n));
  EXPECT_NEAR(sums.power[3] / n, 3, 5 * std::sqrt(96 / n));
  EXPECT_NE(guard_base(1, 4), guard_base(0, 4));
}

TEST(GuardInputs, ScheduleDrawsEveryKindFairly) {
  std::array<double, guard_noises> total{};
  for (int name = 0; name < 2000; ++name) {
    const auto times = guard_schedule(0, "model.layers." + std::to_string(name), 15, false);
    EXPECT_EQ(std::accumulate(times.begin(), times.end(), 0), 15);
    for (std::size_t i = 0; i < total.size(); ++i) total[i] += times[i];
  }
  for (const double times : total) EXPECT_NEAR(times, 6000, 5 * std::sqrt(6000 * 0.8));
  EXPECT_EQ(guard_schedule(0, "x", 15, true), (std::array<int, 5>{3, 3, 3, 3, 3}));
  EXPECT_EQ(guard_schedule(0, "x", 15, false), guard_schedule(0, "x", 15, false));
}

TEST(AdversarialNoise, IsTheSignOfTheGradientOfTheCrossEntropy) {
  constexpr std::size_t m = 50, n = 40;
  const std::vector<double> w = weights(5, m, n), x = guard_base(5, n);
  const std::uint64_t target = guard_class(5, m);
  ASSERT_LT(target, m);
  AdversarialNoise noise(x, target);
  for (std::size_t row = 0; row < m; ++row) noise.take(std::span(w).subspan(row * n, n));
  const std::vector<double> signs = noise.signs();
  const auto loss = [&](const std::vector<double>& at) {
    const std::vector<double> logits = times(w, at);
    const double largest = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (const double logit : logits) sum += std::exp(logit - largest);
    return std::log(sum) + largest - logits[target];
  };
  for (std::size_t i = 0; i < n; ++i) {  // finite differences know nothing of softmax
    std::vector<double> more = x, less = x;
    more[i] += 1e-5, less[i] -= 1e-5;
    EXPECT_EQ(signs[i], loss(more) > loss(less) ? 1 : -1) << i;
  }
}

TEST(AdversarialNoise, LogitsBeyondTheRangeOfExpAreNoProblem) {
  const std::vector<double> x = {1, 1};
  AdversarialNoise noise(x, 0);
  for (const double size : {-2000.0, 0.0, 3000.0, 2999.0}) noise.take(std::vector<double>{size, size});
  EXPECT_EQ(noise.signs(), (std::vector<double>{1, 1}));
}

}  // namespace
}  // namespace stemma
