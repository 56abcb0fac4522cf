// Names are cut at the longest ending that some scheme uses.
#include "io/formats/quantised_module.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "io/formats/descriptor.hpp"
#include "io/formats/limits.hpp"
#include "io/model/finding.hpp"

namespace stemma {
namespace {

using namespace std::string_view_literals;

/// How names of parts end; the part is what follows the separator. Of two endings that fit, the first counts.
constexpr std::array endings{
    ".weight.quant_state.bitsandbytes__nf4"sv, ".weight.quant_state.bitsandbytes__fp4"sv,
    ".weight.nested_quant_map"sv, ".weight.nested_absmax"sv, ".weight.quant_map"sv, ".weight.absmax"sv,
    ".weight_scale_inv"sv, ".weight_scale_2"sv, ".weight_scale"sv, ".weight_global_scale"sv,
    ".weight_packed"sv, ".weight_shape"sv, ".weight_zero_point"sv, ".weight_g_idx"sv, ".weight_format"sv,
    ".weight"sv, ".SCB"sv, ".qweight"sv, ".qzeros"sv, ".g_idx"sv, ".act.scales"sv, ".scales"sv, "_scales"sv,
    ".blocks"sv, "_blocks"sv, ".input_scale"sv, ".input_global_scale"sv, ".input_zero_point"sv,
    ".output_scale"sv, ".activation_scale"sv, ".k_scale"sv, ".v_scale"sv,
    // of schemes whose values cannot be had
    ".q_weight"sv, ".q_invperm"sv, ".trellis"sv, ".W_q"sv, ".codebooks"sv, ".codes"sv, ".biases"sv,
    ".Qidxs"sv, ".B_24"sv, ".weight_bitmask"sv};

struct Cut {
  std::string_view module, part;
};

std::optional<Cut> cut(std::string_view name) {
  for (const std::string_view ending : endings)
    if (name.size() > ending.size() && name.ends_with(ending))
      return Cut{name.substr(0, name.size() - ending.size()), ending.substr(1)};
  return std::nullopt;
}

bool is_eight_bits(const StoredTensor& tensor) {
  return bits_of(tensor.dtype) == 8 && tensor.dtype != Dtype::boolean;
}

}  // namespace

const StoredTensor* QuantisedModule::find(std::string_view part) const {
  const auto found = parts_.find(part);
  return found == parts_.end() ? nullptr : &checkpoint_->tensors[found->second];
}

const StoredTensor& QuantisedModule::require(std::string_view part) const {
  if (const StoredTensor* found = find(part)) return *found;
  refuse("quant.missing_part", "", fmt::format("{} has a part {}", printable(name_), part),
         "without it the codes have no values, so the weight is left out");
}

const StoredTensor& QuantisedModule::require(std::string_view part, std::initializer_list<Dtype> dtypes,
                                             std::size_t rank) const {
  const StoredTensor& found = require(part);
  const bool fits = std::ranges::find(dtypes, found.dtype) != dtypes.end();
  if (fits && found.shape.size() == rank && found.elements() > 0) return found;
  std::vector<std::string_view> names;
  for (const Dtype dtype : dtypes) names.push_back(name_of(dtype));
  refuse("quant.shape", part, fmt::format("{} with {} axes, not empty", fmt::join(names, " or "), rank),
         "no weight has parts of this form, so it is left out");
}

EncodedPart QuantisedModule::encoded(const StoredTensor& tensor) const {
  return {checkpoint_->files[tensor.file], tensor.dtype, tensor.shape, tensor.offset, tensor.bytes};
}

StoredTensor QuantisedModule::weight(std::string name, std::vector<std::uint64_t> shape, Decoding decoding,
                                     const StoredTensor& codes) const {
  std::uint64_t elements = 1;
  for (const std::uint64_t size : shape)
    if (size == 0 || __builtin_mul_overflow(elements, size, &elements) || elements >= limits::elements)
      refuse("quant.shape", "", "a weight with elements, and not too many to count", "it is left out");
  StoredTensor tensor{.name = std::move(name), .dtype = Dtype::f32, .shape = std::move(shape)};
  tensor.bytes = elements * sizeof(float);
  tensor.file = codes.file;
  tensor.decoding = std::make_shared<const Decoding>(std::move(decoding));
  return tensor;
}

void QuantisedModule::refuse(std::string rule, std::string_view part, std::string expected,
                             std::string hint) const {
  const StoredTensor* at = find(part);
  const bool named = at != nullptr;
  if (!named) at = &checkpoint_->tensors[parts_.begin()->second];
  throw InvalidInput({.severity = Severity::warning,
                      .rule = std::move(rule),
                      .file = file_name_of(checkpoint_->files[at->file].path),
                      .tensor = at->name,
                      .byte_offset = at->offset,
                      .expected = std::move(expected),
                      .found = named ? layout_words(*at) : "",
                      .hint = std::move(hint)});
}

std::string layout_words(const StoredTensor& tensor) {
  return fmt::format("{} [{}]", name_of(tensor.dtype), fmt::join(tensor.shape, ", "));
}

std::vector<QuantisedModule> quantised_modules(const Checkpoint& checkpoint) {
  std::map<std::string_view, QuantisedModule> modules;
  const auto module_of = [&](std::string_view name) -> QuantisedModule& {
    return modules.try_emplace(name, checkpoint, std::string(name)).first->second;
  };
  const auto tensors = static_cast<std::uint32_t>(checkpoint.tensors.size());
  for (std::uint32_t i = 0; i < tensors; ++i) {
    const StoredTensor& tensor = checkpoint.tensors[i];
    const auto at = cut(tensor.name);
    if (!at || tensor.decoding) continue;
    if (at->part != "weight" || is_eight_bits(tensor)) module_of(at->module).add(at->part, i);
  }
  for (std::uint32_t i = 0; i < tensors && !modules.empty(); ++i) {
    const StoredTensor& tensor = checkpoint.tensors[i];
    const auto at = cut(tensor.name);
    if (!at || tensor.decoding || at->part != "weight") continue;
    const auto module = modules.find(at->module);
    if (module != modules.end()) module->second.add(at->part, i);
  }
  std::vector<QuantisedModule> sorted;
  sorted.reserve(modules.size());
  for (auto& [name, module] : modules) sorted.push_back(std::move(module));
  return sorted;
}

bool is_activation_part(std::string_view part) {
  constexpr std::array<std::string_view, 8> parts{"input_scale",  "input_global_scale", "input_zero_point",
                                                  "output_scale", "activation_scale",   "k_scale",
                                                  "v_scale",      "act.scales"};
  return std::ranges::find(parts, part) != parts.end();
}

std::optional<std::uint64_t> group_size(std::uint64_t cols, std::uint64_t groups,
                                        std::optional<std::int64_t> stated) {
  if (groups == 0 || cols == 0 || groups > cols) return std::nullopt;
  if (groups == 1) return cols;
  if (stated && *stated > 0) {
    const auto size = static_cast<std::uint64_t>(*stated);
    if (rounded_up_quotient(cols, size) == groups) return size;
  }
  return cols % groups == 0 ? std::optional(cols / groups) : std::nullopt;
}

}  // namespace stemma
