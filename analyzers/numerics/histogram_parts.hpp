// Which pieces do the closed forms of exact and of binned histograms share?
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <span>

#include "analyzers/numerics/exact_histogram.hpp"

namespace stemma {

/// Central sums of finite values: n, mean, M_p = sum (x - mean)^p, and raw sums.
struct CentralSums {
  std::uint64_t n = 0;
  double mean = 0;
  double m2 = 0;
  double m3 = 0;
  double m4 = 0;
  double square_sum = 0;
  double absolute_sum = 0;
};

/// Mean to kurtosis, frobenius_sq and l1 from central sums.
void fill_from_sums(const CentralSums& sums, Moments& moments);

/// log2 N - (1/N) sum c log2 c in bits.
double entropy_of(std::span<const std::uint64_t> counts);

/// For every stored probability the bin (index into `counts`) that holds its quantile. `order` lists the
/// finite bins in ascending value order; `n` > 0 is their total.
std::array<std::size_t, 13> quantile_bins(std::span<const std::uint64_t> counts,
                                          std::span<const std::size_t> order, std::uint64_t n);

/// Throws std::runtime_error when this thread flushes subnormal numbers to zero and cannot be told not to.
/// A library built with -ffast-math may have switched that on behind our back.
void keep_subnormals();

}  // namespace stemma
