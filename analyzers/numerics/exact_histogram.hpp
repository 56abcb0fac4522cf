// What can be said about a tensor when only the multiset of its values is kept?
#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "io/model/dtype.hpp"

namespace stemma {

/// What one bin is. The numeric values are written to archives: append only.
/// code16, code8: one bit pattern. f32_top16, f64_top16: all values whose top 16 bits agree, 2^-7 and 2^-4
/// wide.
enum class HistogramKind : std::uint8_t { code16, code8, joint_mx, f32_top16, f64_top16 };

/// Where the moments come from. The numeric values are written to archives: append only.
/// histogram: closed forms of exact counts. f32_integer: of integer sums per bin. blocks: the moments of
/// order 3 and 4 (f64: all of them) by the block rule of block_moments.hpp, because the bins are too wide for
/// them.
enum class Exactness : std::uint8_t { histogram, f32_integer, blocks };

/// Occupied bins in ascending code order.
struct Histogram {
  HistogramKind kind = HistogramKind::code16;
  Dtype dtype = Dtype::bf16;
  std::vector<std::uint16_t> code;
  std::vector<std::uint64_t> count;
  /// f32_top16: sum and sum of squares of the low 16 bits per bin; empty beyond 2^32 elements (the squares
  /// would not fit 64 bits).
  std::vector<std::uint64_t> low_sum;
  std::vector<std::uint64_t> low_square_sum;

  bool operator==(const Histogram&) const = default;
};

/// The probabilities whose quantiles are kept, as fractions.
struct Fraction {
  std::uint32_t numerator;
  std::uint32_t denominator;
};
inline constexpr std::array<Fraction, 13> quantile_probabilities = {{{0, 1},
                                                                     {1, 10000},
                                                                     {1, 1000},
                                                                     {1, 100},
                                                                     {5, 100},
                                                                     {25, 100},
                                                                     {50, 100},
                                                                     {75, 100},
                                                                     {95, 100},
                                                                     {99, 100},
                                                                     {999, 1000},
                                                                     {9999, 10000},
                                                                     {1, 1}}};

/// Counts over all elements; everything else over the finite ones. NaN: does not exist (no finite element,
/// one element for std_unbiased, a constant tensor for skewness and kurtosis).
struct Moments {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();
  std::uint64_t n = 0;  ///< all elements, NaN and infinities included
  std::uint64_t n_nan = 0, n_pos_inf = 0, n_neg_inf = 0;
  std::uint64_t n_pos_zero = 0, n_neg_zero = 0, n_subnormal = 0, n_positive = 0, n_negative = 0;
  /// Distinct finite codes. For 32- and 64-bit types the occupied bins: a lower bound, exact when it is 1.
  std::uint64_t n_distinct = 0;
  double mean = none, variance = none, std_unbiased = none, skewness = none, kurtosis_excess = none;
  double frobenius_sq = none, l1 = none, min = none, max = none, abs_max = none, abs_min_nonzero = none;
  double entropy_bits = none;  ///< of the codes (16 and 8 bit), else of the bins
  std::array<double, 13> quantile{};
  Exactness exactness = Exactness::histogram;

  std::uint64_t finite() const { return n - n_nan - n_pos_inf - n_neg_inf; }
};

/// Closed forms of a code16 or code8 histogram: sums in ascending bit pattern, Neumaier-compensated, central
/// moments in two passes with M2 corrected by M1^2/n. The same bits on every machine and for every partition
/// of the tensor. Throws std::invalid_argument for other kinds.
///   variance = M2/n, std_unbiased = sqrt(M2/(n-1)), skewness = (M3/n)/(M2/n)^1.5,
///   kurtosis_excess = (M4/n)/(M2/n)^2 - 3, entropy = log2 N - (1/N) sum c log2 c over all codes,
///   quantile(a/d) = smallest value whose cumulative count reaches max(1, ceil(a n/d)); never interpolated.
Moments moments_of(const Histogram& histogram);

/// Counts of two parts of one tensor, or of two tensors of one type, put together: exact and order-free.
/// Throws std::invalid_argument when kind or dtype differ, std::overflow_error when a count does not fit.
Histogram merged(const Histogram& a, const Histogram& b);

/// What of `stored` disagrees with the histogram, recomputed bit by bit; empty when all agrees. For f32 and
/// f64 only what bins determine is recomputed, and min, max, quantiles must lie in occupied bins.
std::vector<std::string> check_moments(const Histogram& histogram, const Moments& stored);

/// Values below this magnitude are subnormal in that format; 0 for formats without subnormals.
double smallest_normal(Dtype dtype);

}  // namespace stemma
