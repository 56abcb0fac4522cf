// What do several tests say together?
#include "analyzers/numerics/combined_tests.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <vector>

#include "analyzers/numerics/exact_sum.hpp"
#include "analyzers/numerics/log_probability.hpp"
#include "analyzers/numerics/portable_log.hpp"

namespace stemma {

double log_fisher(std::span<const double> log_p) {
  ExactSum sum;
  for (const double x : log_p) {
    check_log_p(x);
    sum.add(-x);
  }
  // P(chi^2_2L >= 2x) is the probability of fewer than L events in a Poisson process up to x.
  return log_p.empty() ? 0 : log_poisson_below(log_p.size(), sum.value());
}

double log_partial_conjunction(std::span<const double> log_p, std::uint64_t at_least) {
  if (at_least < 1 || at_least > log_p.size())
    throw std::invalid_argument("partial conjunction: at least none, or more than there are");
  std::vector<double> sorted(log_p.begin(), log_p.end());
  std::for_each(sorted.begin(), sorted.end(), check_log_p);
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  return log_fisher(std::span(sorted).first(sorted.size() - at_least + 1));
}

double log_sum_bound(std::uint64_t k, std::uint64_t tests) {
  return log_sum_bound_of_mean(k, static_cast<double>(tests));
}

double log_sum_bound_of_mean(std::uint64_t k, double mean) {
  if (!(mean >= 0) || !std::isfinite(mean)) throw std::invalid_argument("a mean is finite and not negative");
  const auto count = static_cast<double>(k);
  if (count <= mean) return 0;
  if (mean == 0) throw std::invalid_argument("a sum with mean 0 is 0");
  const double moment = count * portable_log(mean) - log_factorial(k);
  const double chernoff = (count - mean) + count * portable_log(mean / count);
  return std::min({0.0, moment, chernoff});
}

double log_sum_poisson(std::uint64_t k, std::uint64_t tests) {
  if (k > 0 && tests == 0) throw std::invalid_argument("a sum over no tests is 0");
  return log_poisson_at_least(k, static_cast<double>(tests));
}

std::uint64_t agreements_beyond(std::uint64_t agreements, std::uint64_t units, double share) {
  if (!(share >= 0 && share <= 1)) throw std::invalid_argument("a share lies between 0 and 1");
  const double product = share * static_cast<double>(units);
  const auto excused = static_cast<std::uint64_t>(std::ceil(product - product * 0x1p-50));
  return agreements > excused ? agreements - excused : 0;
}

double log_best_of(double log_p, std::uint64_t candidates) {
  check_log_p(log_p);
  if (candidates == 0) throw std::invalid_argument("the best of no candidates");
  return std::min(0.0, log_p + portable_log(static_cast<double>(candidates)));
}

double log_conformal(double score, std::span<const double> null_scores) {
  if (std::isnan(score)) throw std::invalid_argument("conformal: a score is NaN");
  std::uint64_t as_great = 0;
  for (const double x : null_scores) {
    if (std::isnan(x)) throw std::invalid_argument("conformal: a score is NaN");
    if (x >= score) ++as_great;
  }
  return portable_log(static_cast<double>(1 + as_great) / static_cast<double>(1 + null_scores.size()));
}

}  // namespace stemma
