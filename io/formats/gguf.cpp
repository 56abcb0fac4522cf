// The fixed head, the pairs, the directory; then every entry becomes a tensor that the rest of the program
// reads.
#include "io/formats/gguf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>

#include "io/formats/descriptor.hpp"
#include "io/formats/gguf_claims.hpp"
#include "io/formats/gguf_config.hpp"
#include "io/formats/gguf_head.hpp"
#include "io/formats/gguf_metadata.hpp"
#include "io/formats/gguf_tensors.hpp"
#include "io/formats/limits.hpp"

namespace stemma {
namespace {

class Reading {
 public:
  Reading(const SourceFile& file, ByteReader& reader) : file_(file), cursor_(file, reader) {
    container_.format = "gguf";
  }

  Container run() {
    const GgufHead head = read_gguf_head(cursor_);
    metadata_ = GgufMetadata::read(cursor_, head.pairs, container_.findings);
    const std::uint64_t alignment = read_alignment();
    read_part(head.tensors);
    GgufDirectory directory = read_gguf_directory(cursor_, head.tensors, alignment);
    container_.header_bytes = directory.data_begin;
    require_quantization_version(directory);
    for (const GgufTensor& tensor : directory.tensors) by_name_.emplace(tensor.name, &tensor);
    for (const GgufTensor& tensor : directory.tensors) add(tensor);
    if (directory.tensors.empty() && !container_.part)
      remark(Severity::error, "gguf_vocab_only", "no tensor", "a vocabulary without weights is no model");
    if (metadata_.find("tokenizer.ggml.tokens") != nullptr) container_.vocabulary = file_.path;
    container_.config_json = gguf_config(metadata_);
    container_.claims = gguf_claims(metadata_, file_name_of(file_.path));
    return std::move(container_);
  }

 private:
  Finding& remark(Severity severity, std::string rule, std::string found, std::string hint) {
    Finding finding = {.severity = severity,
                       .rule = std::move(rule),
                       .file = file_name_of(file_.path),
                       .found = std::move(found),
                       .hint = std::move(hint)};
    return container_.findings.emplace_back(std::move(finding));
  }

  std::uint64_t read_alignment() {
    constexpr std::string_view key = "general.alignment";
    const GgufValue* value = metadata_.find(key);
    if (value == nullptr) return 32;
    const std::uint64_t alignment = metadata_.count(key).value_or(0);
    if (value->kind != GgufKind::u32 || !std::has_single_bit(alignment) || alignment > limits::gguf_alignment)
      cursor_.refuse("gguf.alignment", cursor_.at(),
                     value->kind == GgufKind::u32 ? fmt::format("{}", alignment) : "a value of another type",
                     "a power of two up to 65536, written as u32");
    if (alignment < 8)
      remark(Severity::warning, "gguf.alignment", fmt::format("{}", alignment), "less than 8 is unusual");
    return alignment;
  }

  void read_part(std::uint64_t holds) {
    const auto count = metadata_.count("split.count");
    if (count.value_or(0) < 2) return;
    const auto number = metadata_.count("split.no"), tensors = metadata_.count("split.tensors.count");
    if (!number || *number >= *count)
      cursor_.refuse("gguf.split", cursor_.at(), number ? fmt::format("part {}", *number) : "no split.no",
                     fmt::format("split.no from 0 to {}", *count - 1));
    container_.part = PartOfSet{*number, *count, tensors.value_or(0), holds};
  }

  void require_quantization_version(const GgufDirectory& directory) {
    const bool quantised = std::ranges::any_of(directory.tensors, [](const GgufTensor& tensor) {
      return tensor.type != nullptr && tensor.type->is_quantised();
    });
    const bool leads = !container_.part || container_.part->number == 0;
    constexpr std::string_view key = "general.quantization_version";
    if (!quantised || !leads) return;
    if (metadata_.find(key) == nullptr)
      remark(Severity::warning, "gguf.quantization", "no general.quantization_version",
             "blocks are read as those of version 2");
    else if (metadata_.count(key) != 2)
      cursor_.refuse("gguf.quantization", cursor_.at(),
                     fmt::format("general.quantization_version {}", metadata_.count(key).value_or(0)), "2",
                     "blocks had another layout before: convert the model again with a converter of today");
  }

  void add(const GgufTensor& from) {
    if (from.type == nullptr || !from.type->is_readable()) return leave_out(from);
    StoredTensor tensor{.name = from.name, .shape = from.shape};
    if (from.type->plain) {
      tensor.dtype = *from.type->plain;
      tensor.offset = from.offset;
      tensor.bytes = from.bytes;
    } else {
      tensor.bytes = from.elements() * sizeof(float);
      Decoding decoding{.codec = std::string(from.type->codec), .parts = {part(from, Dtype::u8)}};
      if (decoding.codec == "nvfp4") add_factor(from, decoding);
      tensor.decoding = std::make_shared<Decoding>(std::move(decoding));
    }
    container_.tensors.push_back(std::move(tensor));
  }

  EncodedPart part(const GgufTensor& from, Dtype dtype) const {
    return {.file = file_,
            .dtype = dtype,
            .shape = {from.bytes * 8 / bits_of(dtype)},
            .offset = from.offset,
            .bytes = from.bytes};
  }

  /// The factor of a whole tensor, or of each expert, is a tensor of its own beside it.
  void add_factor(const GgufTensor& from, Decoding& decoding) {
    const std::string_view name = from.name, stem = name.substr(0, name.rfind(".weight"));
    for (const std::string& sibling : {std::string(stem) + ".scale", std::string(name) + ".scale"}) {
      const auto found = by_name_.find(sibling);
      if (found == by_name_.end()) continue;
      const GgufTensor& factor = *found->second;
      const std::uint64_t factors = factor.elements(), values = from.elements();
      const bool fits = factor.type_id == 0 && factors > 0 && values % factors == 0 &&
                        (factors == 1 || (from.shape.size() == 3 && factors == from.shape.front()));
      if (fits && values > 0) {
        decoding.parts.push_back(part(factor, Dtype::f32));
        decoding.numbers = {static_cast<std::int64_t>(values / factors)};
        return;
      }
    }
    remark(Severity::warning, "gguf.nvfp4_scale", "no fitting tensor of scales beside it",
           "the scale of the tensor counts as 1")
        .tensor = from.name;
  }

  void leave_out(const GgufTensor& tensor) {
    Finding& finding =
        tensor.type == nullptr
            ? remark(Severity::warning, "gguf.unsupported_type", fmt::format("type {}", tensor.type_id),
                     "not a type of the format as it is known here; the tensor is left out")
            : remark(Severity::warning, "gguf.unsupported_quant", std::string(tensor.type->name),
                     "its values cannot be computed here; the tensor is left out. Use another quantisation");
    finding.tensor = tensor.name;
    finding.byte_offset = tensor.entry_at;
  }

  const SourceFile& file_;
  GgufCursor cursor_;
  GgufMetadata metadata_;
  std::map<std::string_view, const GgufTensor*> by_name_;
  Container container_;
};

}  // namespace

Container read_gguf(const SourceFile& file, ByteReader& reader) { return Reading(file, reader).run(); }

}  // namespace stemma
