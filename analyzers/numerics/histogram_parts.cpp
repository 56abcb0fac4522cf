// Which pieces do the closed forms of exact and of binned histograms share?
#include "analyzers/numerics/histogram_parts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "analyzers/numerics/exact_sum.hpp"
#include "analyzers/numerics/portable_log.hpp"

namespace stemma {

void fill_from_sums(const CentralSums& sums, Moments& moments) {
  if (sums.n == 0) return;
  const double n = static_cast<double>(sums.n);
  const double variance = sums.m2 / n;
  moments.mean = sums.mean;
  moments.variance = variance;
  if (sums.n > 1) moments.std_unbiased = std::sqrt(sums.m2 / (n - 1));
  if (variance > 0) {
    moments.skewness = sums.m3 / n / (variance * std::sqrt(variance));
    moments.kurtosis_excess = sums.m4 / n / (variance * variance) - 3;
  }
  moments.frobenius_sq = sums.square_sum;
  moments.l1 = sums.absolute_sum;
}

double entropy_of(std::span<const std::uint64_t> counts) {
  std::uint64_t total = 0;
  for (const std::uint64_t c : counts) total += c;
  if (total == 0) return Moments::none;
  ExactSum sum;
  for (const std::uint64_t c : counts) {
    if (c != 0) sum.add(static_cast<double>(c) * portable_log2(static_cast<double>(c)));
  }
  const double n = static_cast<double>(total);
  return std::max(0.0, portable_log2(n) - sum.value() / n);
}

std::array<std::size_t, 13> quantile_bins(std::span<const std::uint64_t> counts,
                                          std::span<const std::size_t> order, std::uint64_t n) {
  std::array<std::size_t, 13> bins{};
  std::size_t at = 0;
  std::uint64_t cumulative = order.empty() ? 0 : counts[order[0]];
  for (std::size_t i = 0; i < quantile_probabilities.size(); ++i) {
    __extension__ using Wide = unsigned __int128;  // a * n exceeds 64 bits
    const auto [a, d] = quantile_probabilities[i];
    const Wide needed = std::max<Wide>(1, (Wide{a} * n + d - 1) / d);
    while (cumulative < needed && at + 1 < order.size()) cumulative += counts[order[++at]];
    bins[i] = order[at];
  }
  return bins;
}

void keep_subnormals() {
  const auto alive = [] {
    const volatile double smallest = std::numeric_limits<double>::denorm_min();
    const volatile double one = 1;
    return smallest * one != 0;
  };
  if (alive()) return;
#if defined(__SSE__)
  constexpr unsigned flush_to_zero = 0x8000;
  constexpr unsigned denormals_are_zero = 0x0040;
  _mm_setcsr(_mm_getcsr() & ~(flush_to_zero | denormals_are_zero));
#endif
  if (!alive())
    throw std::runtime_error("this processor flushes subnormal numbers to zero (moments would be wrong)");
}

}  // namespace stemma
