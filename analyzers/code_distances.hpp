// How far may the values of a quantised tensor be from what was rounded to their codes?
#pragma once
#include <array>
#include <cstddef>
#include <span>

#include "analyzers/method.hpp"
#include "analyzers/numerics/exact_sum.hpp"

namespace stemma {

/// Takes half distances as stored F32, in order and cut anywhere. Features: count n; numbers largest and
/// root_mean_square, in the weights' unit, of those that are finite. Where a code is no number, or a scale is
/// none, the status is nonfinite.
///
/// A value that was rounded to the nearest code was at most its half distance away, if it lay between the
/// codes at both ends; the tensor as a whole at most root_mean_square sqrt(n) in the Frobenius norm, and no
/// more in any singular value (Weyl). Uniform errors have a root mean square of root_mean_square / sqrt(3).
class CodeDistances final : public Measurement {
 public:
  void take_stored(std::size_t which, std::span<const std::byte> bytes) override;
  Features finish() override;

 private:
  void add(std::span<const std::byte> values);

  std::array<std::byte, sizeof(float)> cut_{};  ///< the beginning of a value that comes in two pieces
  std::size_t cut_bytes_ = 0;
  std::uint64_t n_ = 0, finite_ = 0;
  double largest_ = 0;
  ExactSum squares_;
};

}  // namespace stemma
