// How often does each 16-bit or 8-bit code occur?
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "analyzers/numerics/exact_histogram.hpp"

namespace stemma {

/// Counts codes of a stream of little-endian bytes. Integers only, so cutting the stream elsewhere changes
/// nothing.
///
/// Few elements are sorted at the end, because clearing and searching a table would cost more than the
/// counting. The others are counted four to a load; 8-bit codes as pairs, so that both widths share the loop.
/// A processor that increments one counter again and again waits for its own stores: where the first elements
/// show a code that is frequent, several tables take turns. Tables of 32 bits stay in a core's own cache and
/// are emptied into 64 bits before they can overflow.
class CodeCounter {
 public:
  static constexpr std::uint64_t elements_between_flushes = std::uint64_t{1} << 31;

  /// `dtype` has 16 or 8 bits; throws std::invalid_argument otherwise. `flush_after` is for tests: at least
  /// 1, at most the default.
  explicit CodeCounter(Dtype dtype, std::uint64_t flush_after = elements_between_flushes);

  /// Whole elements only; throws std::invalid_argument when `bytes` ends inside one.
  void add(std::span<const std::byte> bytes);

  Histogram finish();

 private:
  void open_tables();
  void count(std::span<const std::byte> bytes);
  void choose_tables();
  void flush();
  template <class Use>
  void for_each_unit(const Use& use) const;
  std::vector<std::uint16_t> few_codes() const;

  Dtype dtype_;
  std::uint64_t flush_after_;
  std::vector<std::byte> few_;         ///< the whole stream, as long as it is short
  std::vector<std::uint32_t> tables_;  ///< one, two or eight tables of 65,536 codes or pairs
  std::vector<std::uint64_t> total_;   ///< what left the tables; empty before the first flush
  std::vector<std::uint64_t> single_;  ///< 8-bit codes that had no partner
  bool chosen_ = false;                ///< the number of tables was looked at
  std::uint64_t since_flush_ = 0;
};

}  // namespace stemma
