// Which of many tests found something, if only a small share of what is found may be false?
#include "analyzers/numerics/false_discovery.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <stdexcept>

#include "analyzers/numerics/exact_sum.hpp"
#include "analyzers/numerics/log_probability.hpp"
#include "analyzers/numerics/portable_log.hpp"

namespace stemma {

double harmonic_number(std::uint64_t m) {
  const auto x = static_cast<double>(m);
  if (m > 1000) {
    // Euler and Maclaurin; the next term is below 1e-20.
    constexpr double gamma = 0.57721566490153286061;
    return portable_log(x) + (gamma + (1 / (2 * x) - (1 / (12 * x * x) - 1 / (120 * x * x * x * x))));
  }
  ExactSum sum;
  for (std::uint64_t j = m; j > 0; --j) sum.add(1 / static_cast<double>(j));
  return sum.value();
}

std::vector<double> log_discovery_levels(std::span<const double> log_p, std::uint64_t tests) {
  if (tests < log_p.size()) throw std::invalid_argument("false discoveries: more p-values than tests");
  std::for_each(log_p.begin(), log_p.end(), check_log_p);
  std::vector<double> out(log_p.size());
  if (log_p.empty()) return out;
  std::vector<std::size_t> order(log_p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return log_p[a] < log_p[b]; });
  const double factor = portable_log(static_cast<double>(tests)) + portable_log(harmonic_number(tests));
  double level = 0;
  for (std::size_t rank = order.size(); rank > 0; --rank) {
    const std::size_t test = order[rank - 1];
    level = std::min(level, log_p[test] + (factor - portable_log(static_cast<double>(rank))));
    out[test] = level;
  }
  return out;
}

std::vector<bool> discoveries(std::span<const double> log_levels, double q) {
  if (!(q > 0 && q < 1)) throw std::invalid_argument("false discoveries: a level lies between 0 and 1");
  std::vector<bool> out(log_levels.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = log_levels[i] <= portable_log(q);
  return out;
}

}  // namespace stemma
