// The list of all formats. Magic numbers decide, extensions are only compared with what they decided.
#include "io/formats/container.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "io/formats/descriptor.hpp"
#include "io/formats/foreign_format.hpp"
#include "io/formats/gguf.hpp"
#include "io/formats/gguf_head.hpp"
#include "io/formats/limits.hpp"
#include "io/formats/safetensors.hpp"
#include "io/formats/small_file.hpp"
#include "io/formats/torch_zip.hpp"

namespace stemma {
namespace {

struct Format {
  std::string_view name;
  std::array<std::string_view, 4> extensions;  ///< "" where there are fewer
  bool (*begins)(std::string_view head);
  Container (*open)(const SourceFile&, ByteReader&);
};

Container open_safetensors(const SourceFile& file, ByteReader& reader) {
  SafetensorsHeader header = read_safetensors_header(file, reader);
  return {.format = "safetensors",
          .header_bytes = header.header_bytes,
          .tensors = std::move(header.tensors),
          .config_json = "",
          .vocabulary = "",
          .part = std::nullopt,
          .claims = {},
          .findings = std::move(header.findings)};
}

constexpr std::array formats{
    Format{"safetensors", {".safetensors"}, resembles_safetensors, open_safetensors},
    Format{"torch_zip", {".bin", ".pt", ".pth", ".ckpt"}, resembles_torch_zip, open_torch_zip},
    Format{"gguf", {".gguf"}, resembles_gguf, read_gguf},
};

/// The format whose extension the name has, nullptr for a name that promises nothing.
const Format* promised_by(std::string_view name) {
  const auto promises = [&](const Format& format) {
    return std::ranges::any_of(format.extensions, [&](std::string_view extension) {
      return !extension.empty() && name.ends_with(extension);
    });
  };
  const auto format = std::ranges::find_if(formats, promises);
  return format == formats.end() ? nullptr : &*format;
}

}  // namespace

Container open_container(const SourceFile& file, ByteReader& reader) {
  const std::string name = file_name_of(file.path), head = read_head(file.path, limits::magic_bytes);
  if (auto foreign = foreign_format(head, name)) {
    if (is_lfs_pointer(*foreign)) foreign->rule = "lfs_pointer";
    throw InvalidInput(std::move(*foreign));
  }
  const Format* const promised = promised_by(name);
  const auto found = std::ranges::find_if(formats, [&](const Format& format) { return format.begins(head); });
  if (found != formats.end()) {
    Container container = found->open(file, reader);
    if (promised != &*found)
      container.findings.push_back({.severity = Severity::warning,
                                    .rule = "extension_mismatch",
                                    .file = name,
                                    .found = std::string(found->name),
                                    .hint = "the content decides, not the extension of the name"});
    return container;
  }
  // The format that the name promises says best what is wrong.
  if (promised != nullptr) return promised->open(file, reader);
  throw InvalidInput(unknown_format(head, name));
}

}  // namespace stemma
