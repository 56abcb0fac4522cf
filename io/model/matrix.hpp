// How does a canonical (out, in) matrix lie inside a stored tensor?
#pragma once
#include <cstdint>
#include <string>

#include "io/model/role.hpp"

namespace stemma {

/// Rows taken from the output axis of a stored slab: `count` runs of `length` rows, run i starting at
/// offset + i * stride. Contiguous splits have count 1; per-head interleaved layouts have one run per head.
/// Canonical row r is row (r / length) of the runs, r % length inside it. With `head` (even, a divisor of
/// length) the two halves of every `head` rows are stored pair by pair, as interleaved rotary embeddings want
/// them: canonical row p * head/2 + i of a head (p < 2) is its stored row 2i + p.
struct AxisSlice {
  std::uint64_t count = 1;
  std::uint64_t stride = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint64_t head = 0;

  std::uint64_t rows() const { return count * length; }
  std::uint64_t stored_row(std::uint64_t r) const {
    if (head != 0) r = r / head * head + r % head % (head / 2) * 2 + r % head / (head / 2);
    return offset + r / length * stride + r % length;
  }
};

/// A canonical view of a weight: rows x cols = (out, in), y = W x + b; vectors have cols = 1.
/// It lies in one stored tensor, in the slab of stored_rows x cols elements beginning at `first_element`
/// (row-major; when `transposed`, the slab is cols x stored_rows instead).
struct Matrix {
  Role role;
  std::uint32_t tensor = 0;  ///< index into Checkpoint::tensors
  std::uint64_t rows = 0;
  std::uint64_t cols = 1;
  bool vector = false;  ///< 1-D in canonical form: biases, norm gains
  std::uint64_t first_element = 0;
  std::uint64_t stored_rows = 0;
  AxisSlice slice;
  bool transposed = false;
  double gain_offset = 0;  ///< norm gains: what must be added to the stored value (Gemma: 1)
  std::string steps;       ///< canonicalisation applied, "transpose; split 1/3"; "" when stored as is

  std::uint64_t elements() const { return rows * cols; }
  /// Nothing but a role was added: canonical bytes are the stored bytes.
  bool as_stored() const { return steps.empty(); }
};

}  // namespace stemma
