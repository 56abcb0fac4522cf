// How often does each 16-bit or 8-bit code occur?
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "analyzers/numerics/exact_histogram.hpp"

namespace stemma {

/// Counts codes of a stream of little-endian bytes. Integers only, so cutting the stream elsewhere changes
/// nothing. Small tensors are sorted at the end, because zeroing the tables would cost more than the
/// counting; larger ones go to two 32-bit tables in turn (equal neighbours would otherwise wait for each
/// other's store), emptied into 64-bit counts before they can overflow.
class CodeCounter {
 public:
  /// `dtype` has 16 or 8 bits; throws std::invalid_argument otherwise.
  explicit CodeCounter(Dtype dtype);

  /// Whole elements only; throws std::invalid_argument when `bytes` ends inside one.
  void add(std::span<const std::byte> bytes);

  Histogram finish();

 private:
  void open_tables();
  void count(std::span<const std::byte> bytes);
  void flush();

  Dtype dtype_;
  std::size_t width_;                      ///< bytes of an element
  std::vector<std::uint16_t> few_;         ///< codes, as long as there are few
  std::vector<std::uint32_t> even_, odd_;  ///< tables of elements at even and odd places
  std::vector<std::uint64_t> total_;
  std::uint64_t since_flush_ = 0;
};

}  // namespace stemma
