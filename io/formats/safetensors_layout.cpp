// Checked arithmetic over begin, end, shape and element size.
#include "io/formats/safetensors_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <tuple>

#include "io/formats/limits.hpp"

namespace stemma {
namespace {

/// Product of the shape, nothing when a dimension or the product is out of bounds.
std::optional<std::uint64_t> elements_of(const std::vector<std::uint64_t>& shape) {
  std::uint64_t product = 1;
  for (const std::uint64_t dimension : shape) {
    if (dimension >= limits::dimension || __builtin_mul_overflow(product, dimension, &product))
      return std::nullopt;
  }
  if (product >= limits::elements) return std::nullopt;
  return product;
}

class SafetensorsLayout {
 public:
  SafetensorsLayout(std::uint64_t data_begin, const std::string& file_name)
      : data_begin_(data_begin), file_name_(file_name) {}

  StoredTensor place(DraftTensor&& draft) {
    require_adjacent(draft);
    require_size(draft);
    previous_end_ = draft.end;
    return {.name = std::move(draft.name),
            .dtype = draft.dtype,
            .shape = std::move(draft.shape),
            .file = 0,
            .offset = draft.begin,
            .bytes = draft.end - draft.begin};
  }

  void require_end(std::uint64_t file_bytes) const {
    const std::uint64_t data = file_bytes - data_begin_;
    if (previous_end_ == data) return;
    throw InvalidInput({.rule = previous_end_ < data ? "safetensors.trailing_bytes" : "safetensors.truncated",
                        .file = file_name_,
                        .byte_offset = previous_end_ < data ? std::optional(data_begin_ + previous_end_)
                                                            : std::optional(file_bytes),
                        .expected = fmt::format("{} bytes of data", previous_end_),
                        .found = fmt::format("{} bytes of data", data),
                        .hint = previous_end_ < data
                                    ? "bytes that belong to no tensor could hide another file"
                                    : "the file was cut off; fetch it again"});
  }

 private:
  void require_adjacent(const DraftTensor& draft) const {
    if (draft.end < draft.begin) {
      refuse("offset_reversed", draft, fmt::format("end {}", draft.end),
             fmt::format("at least {}", draft.begin));
    }
    if (draft.begin == previous_end_) return;
    const bool hole = draft.begin > previous_end_;
    refuse(hole ? "offset_hole" : "offset_overlap", draft, fmt::format("begin {}", draft.begin),
           fmt::format("{}, where the previous tensor ends", previous_end_),
           hole ? "a hole could hide another file" : "two tensors would share bytes");
  }

  void require_size(const DraftTensor& draft) const {
    const std::optional<std::uint64_t> elements = elements_of(draft.shape);
    const std::string shape = fmt::format("shape [{}]", fmt::join(draft.shape, ", "));
    if (!elements) refuse("shape_overflow", draft, shape, "fewer than 2^62 elements");
    std::uint64_t bits = 0;
    if (__builtin_mul_overflow(*elements, bits_of(draft.dtype), &bits)) {
      refuse("size_overflow", draft, shape, "fewer than 2^64 bits");
    }
    if (bits % 8 != 0) refuse("not_whole_bytes", draft, fmt::format("{} bits", bits), "a multiple of 8");
    if (draft.end - draft.begin != bits / 8) {
      refuse("size_mismatch", draft, fmt::format("{} bytes", draft.end - draft.begin),
             fmt::format("{} bytes for {} {}", bits / 8, name_of(draft.dtype), shape));
    }
  }

  [[noreturn]] void refuse(std::string_view rule, const DraftTensor& draft, std::string found,
                           std::string expected, std::string hint = "") const {
    Finding finding{.rule = fmt::format("safetensors.{}", rule),
                    .file = file_name_,
                    .tensor = draft.name,
                    .expected = std::move(expected),
                    .found = std::move(found),
                    .hint = std::move(hint)};
    std::uint64_t absolute = 0;
    if (!__builtin_add_overflow(data_begin_, draft.begin, &absolute)) finding.byte_offset = absolute;
    throw InvalidInput(std::move(finding));
  }

  std::uint64_t data_begin_;
  const std::string& file_name_;
  std::uint64_t previous_end_ = 0;
};

}  // namespace

std::vector<StoredTensor> lay_out(std::vector<DraftTensor> drafts, std::uint64_t data_begin,
                                  std::uint64_t file_bytes, const std::string& file_name) {
  std::stable_sort(drafts.begin(), drafts.end(), [](const DraftTensor& a, const DraftTensor& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  SafetensorsLayout layout(data_begin, file_name);
  std::vector<StoredTensor> tensors;
  tensors.reserve(drafts.size());
  for (DraftTensor& draft : drafts) tensors.push_back(layout.place(std::move(draft)));
  layout.require_end(file_bytes);
  for (StoredTensor& tensor : tensors) tensor.offset += data_begin;  // bounded by the file's size only now
  return tensors;
}

}  // namespace stemma
