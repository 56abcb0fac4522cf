// How do values follow from a matrix of codes, a table of their meanings, and scales for groups of them?
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "io/formats/decoder.hpp"

namespace stemma {

/// value(r, i) = (values[code(r, i)] - zero) * scale in F32, with zero and scale of the group of (r, i). The
/// difference of integers is exact, so the product is the only rounding.
///
/// Rows come in slabs of `slab_rows` (stacked experts), whose groups begin anew: a group has `group_rows`
/// rows and `group_cols` columns, less at the edges of its slab. All sizes are at least 1.
struct ScaledCodes {
  std::uint64_t rows = 0, cols = 0;
  unsigned bits = 8;
  std::vector<float> values;  ///< of the 2^bits codes

  EncodedPart codes;            ///< rows of `row_bytes`, each a string of codes as `unpack` reads it
  std::vector<std::byte> held;  ///< the same in memory, where the layout on disk is another
  std::uint64_t row_bytes = 0;
  bool high_first = false;  ///< of two codes in a byte

  std::uint64_t slab_rows = 0, group_rows = 1, group_cols = 0;
  std::vector<std::uint32_t> group_of;  ///< the group of each column, where it is not i / group_cols
  std::uint64_t groups = 1;             ///< side by side in one row
  std::vector<float> scales;            ///< slab after slab, (groups below each other, groups)
  std::vector<float> zeros;             ///< likewise, empty where there are none
};

/// Values of the grid, or half distances times the size of the scale where `half_distances` is set. `reader`
/// must outlive the decoder, which asks it for the codes of the rows that are wanted. Throws
/// std::invalid_argument for a grid with too few scales or zeros.
std::unique_ptr<Decoder> scaled_codes_decoder(ScaledCodes grid, bool half_distances, ByteReader& reader);

enum class ScaleRule : std::uint8_t { finite, not_negative, positive };

/// All values of a part as F32; U8 is read as F8_E8M0. Throws InvalidInput (quant.scale_not_finite) for the
/// first value that breaks the rule, and what the reader throws.
std::vector<float> read_scales(const EncodedPart& part, ScaleRule rule, ByteReader& reader);

/// (rows, cols) as (cols, rows).
std::vector<float> transposed_scales(const std::vector<float>& from, std::uint64_t rows, std::uint64_t cols);

/// The group of every column from a part of I32. Throws InvalidInput (quant.index_range) for a group outside
/// of [0, groups). Where it `may_be_unset`, a -1 anywhere says that it is: it then reads as empty.
std::vector<std::uint32_t> read_group_index(const EncodedPart& part, std::uint64_t groups, bool may_be_unset,
                                            ByteReader& reader);

}  // namespace stemma
