// How is one item done: its tensors read once, everything asked of them answered?
#pragma once
#include <vector>

#include "pipeline/work_order.hpp"

namespace stemma {

/// Outcome of one work order.
struct ItemResult {
  std::uint32_t item = 0;
  double seconds = 0;
  std::uint64_t bytes_read = 0;
  std::vector<Features>
      features;  ///< one per subject, in the order of WorkOrder::subjects; failed ones say why
};

/// Reads every streamed tensor once, in file order, and serves all subjects from that reading. Never throws
/// for an input or a mathematical failure: what fails becomes Features with Status::failed, and the others go
/// on.
ItemResult perform(const WorkOrder& order, ByteReader& reader);

std::vector<std::byte> encode(const ItemResult& result);
ItemResult decode_result(std::span<const std::byte> in);

}  // namespace stemma
