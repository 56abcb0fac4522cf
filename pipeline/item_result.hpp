// What came out of one item?
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/archive/features.hpp"
#include "io/archive/fingerprint.hpp"

namespace stemma {

/// Outcome of one work order. `features`, `keys` and `spent`, and `contents` and `same` of one that asked,
/// have one entry per subject, in the order of WorkOrder::subjects.
struct ItemResult {
  std::uint32_t item = 0;
  int rank = 0;  ///< that did it; not in the bytes, whoever receives them knows
  double seconds = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t peak_memory = 0;   ///< the most that its rank has used so far
  std::string ended;               ///< ISO 8601 UTC, by the clock of its rank
  std::vector<Features> features;  ///< failed ones say why
  std::vector<Hash128> keys;       ///< work_key of each
  std::vector<Hash128> contents;   ///< content_key of each that was asked for, or nothing
  std::vector<std::uint8_t> same;  ///< 1: not measured, it is that of its content
  std::vector<double> spent;  ///< seconds from the begin of the item to the end or failure of this subject
};

std::vector<std::byte> encode(const ItemResult& result);
ItemResult decode_result(std::span<const std::byte> in);

}  // namespace stemma
