// Codes of a row are unpacked, looked up, and scaled group by group.
#include "io/formats/scaled_codes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "io/formats/code_table.hpp"
#include "io/formats/descriptor.hpp"
#include "io/formats/packed_codes.hpp"
#include "io/model/finding.hpp"
#include "io/model/widen.hpp"

namespace stemma {
namespace {

std::uint64_t parts_of(std::uint64_t whole, std::uint64_t part) { return (whole + part - 1) / part; }

class ScaledCodesDecoder final : public FloatDecoder {
 public:
  ScaledCodesDecoder(ScaledCodes grid, bool half_distances, ByteReader& reader)
      : grid_(std::move(grid)), group_rows_(parts_of(grid_.slab_rows, grid_.group_rows)), reader_(&reader) {
    const std::uint64_t scales = parts_of(grid_.rows, grid_.slab_rows) * group_rows_ * grid_.groups;
    if (grid_.scales.size() < scales || (!grid_.zeros.empty() && grid_.zeros.size() < scales))
      throw std::invalid_argument("a grid of codes has too few scales");
    if (!half_distances) return;
    grid_.values = code_table::half_distances(grid_.values);
    grid_.zeros.clear();
    for (float& scale : grid_.scales) scale = std::abs(scale);
  }

  void values(std::uint64_t first, std::span<float> out) override {
    if (out.empty()) return;
    const std::uint64_t first_row = first / grid_.cols, last_row = (first + out.size() - 1) / grid_.cols;
    const std::span<const std::byte> rows = rows_between(first_row, last_row);
    std::uint64_t column = first % grid_.cols;
    for (std::uint64_t row = first_row; !out.empty(); ++row, column = 0) {
      const std::size_t count = std::min<std::uint64_t>(grid_.cols - column, out.size());
      codes_.resize(count);
      const std::uint64_t from = std::min<std::uint64_t>((row - first_row) * grid_.row_bytes, rows.size());
      const auto bytes = rows.subspan(from, std::min<std::uint64_t>(grid_.row_bytes, rows.size() - from));
      if (grid_.high_first) {
        unpack_high_first(bytes, column, codes_);
      } else {
        unpack(grid_.bits, bytes, column, codes_);
      }
      scale_row(row, column, out.first(count));
      out = out.subspan(count);
    }
  }

 private:
  std::span<const std::byte> rows_between(std::uint64_t first, std::uint64_t last) {
    const std::uint64_t begin = first * grid_.row_bytes, end = (last + 1) * grid_.row_bytes;
    if (!grid_.held.empty()) return std::span(grid_.held).subspan(begin, end - begin);
    const std::uint64_t bytes = std::min(end, grid_.codes.bytes) - begin;  // a last row may be shorter
    read_.resize(bytes);
    reader_->read(grid_.codes.file, grid_.codes.offset + begin, read_);
    return read_;
  }

  /// Codes of columns [first, first + out.size()) of a row to values.
  void scale_row(std::uint64_t row, std::uint64_t first, std::span<float> out) const {
    const std::uint64_t slab = row / grid_.slab_rows, in_slab = row % grid_.slab_rows;
    const std::uint64_t at = (slab * group_rows_ + in_slab / grid_.group_rows) * grid_.groups;
    const float *const scales = grid_.scales.data() + at, *const values = grid_.values.data();
    const float* const zeros = grid_.zeros.empty() ? nullptr : grid_.zeros.data() + at;
    if (!grid_.group_of.empty()) {
      for (std::size_t i = 0; i < out.size(); ++i) {
        const std::uint32_t group = grid_.group_of[first + i];
        const float value = zeros == nullptr ? values[codes_[i]] : values[codes_[i]] - zeros[group];
        out[i] = value * scales[group];
      }
      return;
    }
    for (std::size_t i = 0; i < out.size();) {
      const std::uint64_t group = (first + i) / grid_.group_cols;
      const std::size_t end = std::min<std::uint64_t>(out.size(), (group + 1) * grid_.group_cols - first);
      const float scale = scales[group];
      if (zeros == nullptr) {
        for (; i < end; ++i) out[i] = values[codes_[i]] * scale;
      } else {
        for (const float zero = zeros[group]; i < end; ++i) out[i] = (values[codes_[i]] - zero) * scale;
      }
    }
  }

  ScaledCodes grid_;
  std::uint64_t group_rows_;  ///< of one slab, below each other
  ByteReader* reader_;
  std::vector<std::byte> read_;
  std::vector<std::uint8_t> codes_;
};

[[noreturn]] void refuse(std::string rule, const EncodedPart& part, std::uint64_t index, std::string found,
                         std::string expected) {
  throw InvalidInput({.rule = std::move(rule),
                      .file = file_name_of(part.file.path),
                      .byte_offset = part.offset + index * bits_of(part.dtype) / 8,
                      .expected = std::move(expected),
                      .found = std::move(found),
                      .hint = "the file is damaged, or its writer made a mistake: fetch or make it again"});
}

}  // namespace

std::unique_ptr<Decoder> scaled_codes_decoder(ScaledCodes grid, bool half_distances, ByteReader& reader) {
  return std::make_unique<ScaledCodesDecoder>(std::move(grid), half_distances, reader);
}

std::vector<float> read_scales(const EncodedPart& part, ScaleRule rule, ByteReader& reader) {
  const Dtype dtype = part.dtype == Dtype::u8 ? Dtype::f8_e8m0 : part.dtype;
  const std::vector<std::byte> bytes = read_part(part, reader);
  std::vector<double> wide(bytes.size() * 8 / bits_of(dtype));
  widen(dtype, bytes, wide);
  for (std::size_t i = 0; i < wide.size(); ++i) {
    const bool kept = std::isfinite(wide[i]) && (rule == ScaleRule::finite || wide[i] > 0 ||
                                                 (rule == ScaleRule::not_negative && wide[i] == 0));
    if (kept) continue;
    refuse("quant.scale_not_finite", part, i, fmt::format("a scale of {}", wide[i]),
           rule == ScaleRule::finite         ? "finite scales"
           : rule == ScaleRule::not_negative ? "finite scales, none below 0"
                                             : "finite scales above 0");
  }
  return {wide.begin(), wide.end()};
}

std::vector<float> transposed_scales(const std::vector<float>& from, std::uint64_t rows, std::uint64_t cols) {
  std::vector<float> to(from.size());
  for (std::uint64_t r = 0; r < rows; ++r)
    for (std::uint64_t c = 0; c < cols; ++c) to[c * rows + r] = from[r * cols + c];
  return to;
}

std::vector<std::uint32_t> read_group_index(const EncodedPart& part, std::uint64_t groups, bool may_be_unset,
                                            ByteReader& reader) {
  const std::vector<std::byte> bytes = read_part(part, reader);
  std::vector<std::int32_t> stored(bytes.size() / sizeof(std::int32_t));
  if (!stored.empty()) std::memcpy(stored.data(), bytes.data(), stored.size() * sizeof(std::int32_t));
  if (may_be_unset && std::ranges::find(stored, -1) != stored.end()) return {};
  for (std::size_t i = 0; i < stored.size(); ++i) {
    if (stored[i] >= 0 && static_cast<std::uint64_t>(stored[i]) < groups) continue;
    refuse("quant.index_range", part, i, fmt::format("group {}", stored[i]),
           fmt::format("groups 0 to {}", groups - 1));
  }
  return {stored.begin(), stored.end()};
}

}  // namespace stemma
