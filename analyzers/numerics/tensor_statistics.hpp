// What are the statistics of one tensor of any type, while its bytes go by?
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <variant>

#include "analyzers/numerics/code_counter.hpp"
#include "analyzers/numerics/float_bins.hpp"

namespace stemma {

/// 16- and 8-bit floats: exact counts. f32, f64: bins and the block rule. Integers and booleans: counts of
/// zeros and signs only. Other types (complex, packed): the number of elements only.
/// The answer has the same bits however the stream is cut at element boundaries.
class TensorStatistics {
 public:
  explicit TensorStatistics(Dtype dtype);
  void add(std::span<const std::byte> bytes);
  /// The histogram is empty for types that have none (see `has_histogram`).
  Statistics finish();

  static bool has_histogram(Dtype dtype);

 private:
  void count_integers(std::span<const std::byte> bytes);

  Dtype dtype_;
  std::variant<std::monostate, CodeCounter, FloatBins> counter_;
  Moments integers_;
};

}  // namespace stemma
