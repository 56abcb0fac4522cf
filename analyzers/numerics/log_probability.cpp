// What do small probabilities add up to, in logarithms that never underflow?
#include "analyzers/numerics/log_probability.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "analyzers/numerics/portable_log.hpp"

namespace stemma {

namespace {

constexpr double log_zero = -std::numeric_limits<double>::infinity();
constexpr double half_log_of_two_pi = 0.91893853320467274178;
constexpr double negligible = 1e-18;

// The last factorial that is a double is 170!.
constexpr auto factorials = [] {
  std::array<double, 171> out{1};
  for (std::size_t n = 1; n < out.size(); ++n) out[n] = out[n - 1] * static_cast<double>(n);
  return out;
}();

void check_mean(double mean) {
  if (!(mean >= 0) || std::isinf(mean))
    throw std::invalid_argument("Poisson: the mean is negative or not finite");
}

/// ln P(X = k), mean > 0.
double log_mass(std::uint64_t k, double mean) {
  return (static_cast<double>(k) * portable_log(mean) - log_factorial(k)) - mean;
}

/// P(X >= k) / P(X = k) for k > mean - 1, where terms fall.
double upper_series(std::uint64_t k, double mean) {
  double sum = 1, term = 1;
  for (double i = static_cast<double>(k) + 1; term > negligible * sum; ++i) sum += term *= mean / i;
  return sum;
}

/// P(X <= k) / P(X = k) for k < mean + 1.
double lower_series(std::uint64_t k, double mean) {
  double sum = 1, term = 1;
  for (auto i = static_cast<double>(k); i > 0 && term > negligible * sum; --i) sum += term *= i / mean;
  return sum;
}

}  // namespace

void check_log_p(double x) {
  if (!(x <= 0) || std::isinf(x))
    throw std::invalid_argument("a logarithm of a p-value is above 0 or not finite");
}

double log_factorial(std::uint64_t n) {
  if (n < factorials.size()) return portable_log(factorials[n]);
  // Stirling's series: its next term is below 1e-19 from here on.
  const auto x = static_cast<double>(n);
  const double inverse = 1 / x, square = inverse * inverse;
  const double series = inverse * (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260)));
  return (x + 0.5) * portable_log(x) - x + (half_log_of_two_pi + series);
}

double exp_of_negative(double x) {
  if (x < -745) return 0;
  // x = n ln 2 + r with |r| < 0.35. The leading part of ln 2 has 32 bits, so n times it is exact.
  constexpr double high = 0x1.62e42feep-1, low = 0x1.a39ef35793c76p-33;
  const double n = std::floor(x * 1.4426950408889634074 + 0.5);
  const double r = (x - n * high) - n * low;
  double sum = 1;
  for (int order = 14; order >= 1; --order) sum = 1 + sum * r / order;
  return std::ldexp(sum, static_cast<int>(n));
}

double log_of_complement(double p) {
  // ln(q) / (q - 1) hardly changes between q and 1 - p, so the rounding of q cancels.
  const double q = 1 - p;
  return q == 1 ? -p : portable_log(q) * (-p / (q - 1));
}

double log_poisson_at_least(std::uint64_t k, double mean) {
  check_mean(mean);
  if (k == 0) return 0;
  if (mean == 0) return log_zero;
  if (static_cast<double>(k) > mean)
    return std::min(0.0, log_mass(k, mean) + portable_log(upper_series(k, mean)));
  return log_of_complement(exp_of_negative(log_poisson_below(k, mean)));
}

double log_poisson_below(std::uint64_t k, double mean) {
  check_mean(mean);
  if (k == 0) return log_zero;
  if (mean == 0) return 0;
  if (static_cast<double>(k) <= mean)
    return std::min(0.0, log_mass(k - 1, mean) + portable_log(lower_series(k - 1, mean)));
  return log_of_complement(exp_of_negative(log_poisson_at_least(k, mean)));
}

}  // namespace stemma
