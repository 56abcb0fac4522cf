// What do several tests say together?
#pragma once
#include <cstdint>
#include <span>

namespace stemma {

// Natural logarithms. Arguments `log_p` are those of p-values: finite and <= 0, else std::invalid_argument;
// what is returned is one again. "Valid" p-values are super-uniform under their hypothesis: P(p <= t) <= t.

/// Fisher's combination of L valid p-values of independent tests: with x = -sum ln p,
/// ln P(chi^2_2L >= 2x) = -x + ln sum_{i<L} x^i / i!. Of no tests 0. Order does not matter beyond rounding.
double log_fisher(std::span<const double> log_p);

/// "Fewer than u of L hypotheses are false", 1 <= u <= L: Fisher's combination of the L - u + 1 largest
/// p-values. No factor is needed (Benjamini, Heller, Biometrics 64 (2008) 1215): under this hypothesis at
/// least L - u + 1 of the p-values are true nulls; sorted, the L - u + 1 largest of all are no smaller than
/// these one by one, and the combination rises with each of them. Throws std::invalid_argument for another u.
double log_partial_conjunction(std::span<const double> log_p, std::uint64_t at_least);

/// P(F_1 + ... + F_L >= k) for independent tests that each obey E C(F,j) <= 1/j! for all j, as fixed points
/// do: E (1+t)^F <= e^t, so the probability is at most min(L^k/k!, e^(k-L) (L/k)^k) for k > L, and 1 else.
/// Guaranteed.
double log_sum_bound(std::uint64_t k, std::uint64_t tests);
/// The same for tests that obey E C(F,j) <= mean^j/j! each with a mean of its own: m matched pairs of units
/// of which N have exchangeable labels do with m/N. `mean` is the sum of all. Throws std::invalid_argument
/// for a mean that is negative or not finite.
double log_sum_bound_of_mean(std::uint64_t k, double mean);

/// The same if the sum were Poisson-distributed with mean L, which is what uniform permutations come to: not
/// guaranteed, and usually within a few units of the bound.
double log_sum_poisson(std::uint64_t k, std::uint64_t tests);

/// max(0, F - ceil(share n)): what is left of F agreements when up to a share of the n units agree for
/// reasons that are no evidence. A product that misses an integer by rounding alone is that integer. Throws
/// std::invalid_argument for a share outside [0, 1].
std::uint64_t agreements_beyond(std::uint64_t agreements, std::uint64_t units, double share);

/// The best of so many candidates, chosen for its p-value: Bonferroni's min(0, ln p + ln candidates). Throws
/// std::invalid_argument for no candidates.
double log_best_of(double log_p, std::uint64_t candidates);

/// Conformal: (1 + number of null scores >= score) / (1 + number of null scores); valid when all of them are
/// exchangeable under the hypothesis. Throws std::invalid_argument for NaN.
double log_conformal(double score, std::span<const double> null_scores);

}  // namespace stemma
