// What do 32- and 64-bit floats keep when 2^32 codes are too many: bins by the top 16 bits?
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "analyzers/numerics/block_moments.hpp"
#include "analyzers/numerics/exact_histogram.hpp"

namespace stemma {

struct Statistics {
  Histogram histogram;
  Moments moments;
};

/// Moments that the integer sums of an f32_top16 histogram determine: with K = (m + 128 or 0) 2^16 and the
/// unit u of a bin every value is +-u (K + low), so sums of values and of squares are integers times u and
/// u^2: mean, M2, frobenius_sq and l1 are order-free and exact up to the final additions. M3 and M4 treat a
/// bin as mean and variance: M3 = sum c (d^3 + 3 d v), M4 = sum c (d^4 + 6 d^2 v + 3 v^2), d = bin mean -
/// mean. Needs low_sum and low_square_sum.
CentralSums integer_sums(const Histogram& histogram);

/// True when the spread is below 32 widths of the widest occupied bin: M3 and M4 of integer_sums would then
/// be wrong in the third digit.
bool bins_too_wide(const Histogram& histogram, double std_unbiased);

/// Least and greatest value of a bin that is finite.
struct Bracket {
  double low;
  double high;
};
Bracket bracket_of(HistogramKind kind, std::uint16_t code);

/// Fills what bins alone determine: entropy, n_distinct, quantiles (the lower end of the bin, cut to
/// [min, max]; the outermost ones are min and max themselves). Counts, min and max must be filled already.
void fill_from_bins(const Histogram& histogram, Moments& moments);

/// Statistics of a stream of f32 or f64: bins and the block rule side by side.
class FloatBins {
 public:
  static constexpr std::uint64_t elements_between_flushes = std::uint64_t{1} << 23;

  /// f32 or f64. `flush_after` is for tests: at least 1, at most the default.
  explicit FloatBins(Dtype dtype, std::uint64_t flush_after = elements_between_flushes);
  /// Whole elements only; throws std::invalid_argument when `bytes` ends inside one.
  void add(std::span<const std::byte> bytes);
  Statistics finish();

 private:
  /// What at most 2^23 elements add to one bin: the count in the upper 24 bits, the sum of the low halves in
  /// the lower 40. Two words, because three stores an element would be the limit of the whole.
  struct alignas(16) Bin {
    static constexpr std::uint64_t one = std::uint64_t{1} << 40U;
    std::uint64_t count_and_low = 0, low_square = 0;
  };
  struct Total {
    std::uint64_t count = 0, low = 0, low_square = 0;
    void add(const Bin& bin) {
      count += bin.count_and_low / Bin::one;
      low += bin.count_and_low % Bin::one;
      low_square += bin.low_square;
    }
  };

  void note(double x);
  void note_floats(std::span<const std::byte> bytes);
  void count_floats(std::span<const std::byte> bytes);
  void flush();

  Dtype dtype_;
  std::size_t width_;
  std::uint64_t flush_after_;
  std::uint64_t since_flush_ = 0;
  std::vector<Bin> bins_;
  std::vector<Total> totals_;  ///< what left the bins; empty before the first flush
  BlockMoments blocks_;
  Moments seen_;           ///< counts, min, max, abs_min_nonzero
  double first_zero_ = 0;  ///< with its sign
};

}  // namespace stemma
