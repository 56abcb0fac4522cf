// The length field, the header behind it, and what is legal but worth a remark.
#include "io/formats/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <span>

#include "io/formats/descriptor.hpp"
#include "io/formats/limits.hpp"
#include "io/formats/safetensors_draft.hpp"
#include "io/formats/safetensors_layout.hpp"

namespace stemma {
namespace {

constexpr std::uint64_t length_field = 8;

[[noreturn]] void refuse_file(std::string rule, const std::string& file_name, std::string found,
                              std::string expected, std::string hint) {
  throw InvalidInput({.rule = std::move(rule),
                      .file = file_name,
                      .byte_offset = 0,
                      .expected = std::move(expected),
                      .found = std::move(found),
                      .hint = std::move(hint)});
}

void require_within_file(std::uint64_t header, std::uint64_t file_bytes, const std::string& file_name) {
  if (file_bytes >= length_field && header <= file_bytes - length_field) return;
  refuse_file("safetensors.header_beyond_file", file_name, fmt::format("a header of {} bytes", header),
              fmt::format("at most {}", file_bytes - std::min(file_bytes, length_field)),
              "the file was cut off, or is no safetensors file");
}

/// First tensor whose data do not begin at a multiple of its element size: fine for pread, not for pointers.
void note_misalignment(SafetensorsHeader& header, const std::string& file_name) {
  const auto misaligned = [](const StoredTensor& tensor) {
    const std::uint64_t bytes = std::max(bits_of(tensor.dtype) / 8, 1U);
    return tensor.bytes > 0 && tensor.offset % bytes != 0;
  };
  const auto first = std::find_if(header.tensors.begin(), header.tensors.end(), misaligned);
  if (first == header.tensors.end()) return;
  const auto count = std::count_if(first, header.tensors.end(), misaligned);
  header.findings.push_back({.severity = Severity::note,
                             .rule = "safetensors.misaligned_data",
                             .file = file_name,
                             .tensor = first->name,
                             .byte_offset = first->offset,
                             .hint = fmt::format("tensors not aligned to their element size: {}", count)});
}

}  // namespace

SafetensorsHeader validate_safetensors_header(std::string_view json, std::uint64_t file_bytes,
                                              const std::string& file_name) {
  require_within_file(json.size(), file_bytes, file_name);
  SafetensorsDraft draft = parse_safetensors_header(json, file_name);
  SafetensorsHeader header;
  header.header_bytes = length_field + json.size();
  header.metadata = std::move(draft.metadata);
  header.findings = std::move(draft.findings);
  header.tensors = lay_out(std::move(draft.tensors), header.header_bytes, file_bytes, file_name);

  if (json.size() > limits::hub_header_bytes) {
    header.findings.push_back({.severity = Severity::note,
                               .rule = "safetensors.header_over_hub_limit",
                               .file = file_name,
                               .byte_offset = 0,
                               .found = fmt::format("a header of {} bytes", json.size()),
                               .hint = "hub clients refuse headers of this size"});
  }
  if (!json.starts_with('{')) {
    header.findings.push_back({.severity = Severity::warning,
                               .rule = "safetensors.leading_whitespace",
                               .file = file_name,
                               .byte_offset = length_field,
                               .hint = "the format asks for { as the first byte of the header"});
  }
  note_misalignment(header, file_name);
  return header;
}

SafetensorsHeader read_safetensors_header(const SourceFile& file, ByteReader& reader) {
  const std::string file_name = file_name_of(file.path);
  if (file.bytes < length_field) {
    refuse_file("safetensors.header_too_small", file_name, fmt::format("a file of {} bytes", file.bytes),
                "at least 8 bytes", "the file was cut off, or is no safetensors file");
  }
  std::array<std::byte, length_field> field{};
  reader.read(file, 0, field);
  std::uint64_t length = 0;
  std::memcpy(&length, field.data(), field.size());
  if (length > limits::safetensors_header_bytes) {
    refuse_file("safetensors.header_too_large", file_name, fmt::format("a header of {} bytes", length),
                fmt::format("at most {}", limits::safetensors_header_bytes),
                "the file is no safetensors file");
  }
  require_within_file(length, file.bytes, file_name);

  const auto text = std::make_unique_for_overwrite<char[]>(length);
  reader.read(file, length_field, std::as_writable_bytes(std::span(text.get(), length)));
  return validate_safetensors_header({text.get(), length}, file.bytes, file_name);
}

}  // namespace stemma
