// What do small probabilities add up to, in logarithms that never underflow?
#pragma once
#include <cstdint>
#include <numbers>

namespace stemma {

// Everything here comes from plain double operations in a fixed order, as portable_log does, and from no
// function of the C library: lgamma writes to a global variable, and its last bits differ between libraries
// and CPUs, while results of several ranks are compared by their bytes.

/// Throws std::invalid_argument unless x is the logarithm of a p-value that is not 0: finite and <= 0.
void check_log_p(double x);

/// A natural logarithm as people read it.
inline double as_log10(double log_p) { return log_p / std::numbers::ln10; }

/// ln n!, relative error below 1e-15.
double log_factorial(std::uint64_t n);

/// e^x for x <= 0, at most 2 ulp off; 0 below -745.
double exp_of_negative(double x);

/// ln(1 - p) for 0 <= p <= 1, accurate for small p too.
double log_of_complement(double p);

/// ln P(X >= k) and ln P(X < k) for X Poisson-distributed with the given mean >= 0. The smaller of both tails
/// is summed as a series, the larger is its complement. ln P(X >= 0) = 0 and ln P(X < 0) = -inf; with mean 0,
/// ln P(X >= k) = -inf for k > 0. The error of the logarithm is that of
/// its terms, mean and k ln k, about 1e-15 of them. Throws std::invalid_argument for a mean that is negative
/// or not finite.
double log_poisson_at_least(std::uint64_t k, double mean);
double log_poisson_below(std::uint64_t k, double mean);

}  // namespace stemma
