// Floats of four bits under a scale for every 16 (NVFP4) or 32 (MXFP4) inputs: compressed-tensors, ModelOpt,
// gpt-oss. OCP Microscaling Formats, version 1.0.
#include <fmt/format.h>

#include <algorithm>

#include "io/formats/code_table.hpp"
#include "io/formats/quantised_schemes.hpp"

namespace stemma {
namespace {

enum Number : std::size_t { slab_rows, cols, group_cols, global };
enum class Global : std::uint8_t { none, divides, multiplies };
constexpr std::uint64_t nvfp4_group = 16, mxfp4_group = 32;

bool is_stack_of_blocks(const QuantisedModule& module) { return module.has("blocks"); }

bool recognises(const QuantisedModule& module, const QuantisationConfig&) {
  const StoredTensor *packed = module.find("weight_packed"), *plain = module.find("weight");
  if (is_stack_of_blocks(module)) {
    const StoredTensor* scales = module.find("scales");
    return module.find("blocks")->dtype == Dtype::u8 && (scales == nullptr || scales->dtype == Dtype::u8);
  }
  if (packed != nullptr) return packed->dtype == Dtype::u8;
  const StoredTensor* scale = module.find("weight_scale");
  return plain != nullptr && plain->dtype == Dtype::u8 &&
         (module.has("weight_scale_2") || (scale != nullptr && scale->dtype == Dtype::f8_e4m3));
}

struct Layout {
  const StoredTensor *codes, *scale;
  std::vector<std::uint64_t> shape;  ///< of the values
  std::uint64_t group;
};

/// Codes (..., out, in / 32, 16) and scales (..., out, in / 32).
Layout blocks_of(const QuantisedModule& module) {
  const StoredTensor& codes = module.require("blocks");
  const StoredTensor& scale = module.require("scales", {Dtype::u8}, codes.shape.size() - 1);
  std::vector<std::uint64_t> expected = scale.shape;
  expected.push_back(mxfp4_group / 2);
  if (codes.shape.size() < 3 || codes.shape != expected)
    module.refuse("quant.shape", "blocks", fmt::format("U8 [{}]", fmt::join(expected, ", ")),
                  "blocks and scales do not belong together, so the weight is left out");
  std::vector<std::uint64_t> shape = scale.shape;
  shape.back() *= mxfp4_group;
  return {&codes, &scale, std::move(shape), mxfp4_group};
}

/// Codes (..., out, in / 2) and scales (..., out, in / group).
Layout rows_of(const QuantisedModule& module) {
  const std::string_view part = module.has("weight_packed") ? "weight_packed" : "weight";
  const StoredTensor& codes = module.require(part);
  if (codes.shape.size() < 2 || codes.elements() == 0)
    module.refuse("quant.shape", part, "a matrix, or a stack of matrices", "the weight is left out");
  const StoredTensor& scale =
      module.require("weight_scale", {Dtype::f8_e4m3, Dtype::u8, Dtype::f8_e8m0}, codes.shape.size());
  const std::uint64_t group = scale.dtype == Dtype::f8_e4m3 ? nvfp4_group : mxfp4_group;
  std::vector<std::uint64_t> shape = codes.shape;
  shape.back() *= 2;
  std::vector<std::uint64_t> expected = shape;
  expected.back() /= group;
  if (shape.back() % group != 0 || scale.shape != expected)
    module.refuse("quant.shape", "weight_scale",
                  fmt::format("a scale for every {} of [{}]", group, fmt::join(shape, ", ")),
                  "codes and scales do not belong together, so the weight is left out");
  return {&codes, &scale, std::move(shape), group};
}

StoredTensor weight(const QuantisedModule& module, const QuantisationContext&) {
  const bool blocks = is_stack_of_blocks(module);
  Layout layout = blocks ? blocks_of(module) : rows_of(module);
  const std::uint64_t out = layout.shape[layout.shape.size() - 2];
  Decoding decoding{.codec = std::string(four_bit_floats_scheme.codec),
                    .parts = {module.encoded(*layout.codes), module.encoded(*layout.scale)},
                    .numbers = {}};
  Global use = Global::none;
  if (layout.group == nvfp4_group) {
    const bool multiplies = module.has("weight_scale_2");
    const std::string_view part = multiplies ? "weight_scale_2" : "weight_global_scale";
    const StoredTensor& scale = module.require(part);
    module.require(part, {Dtype::f32}, scale.shape.size());
    const std::uint64_t matrices = layout.codes->elements() / (out * layout.codes->shape.back());
    if (scale.elements() != 1 && scale.elements() != matrices)
      module.refuse("quant.shape", part, fmt::format("one scale, or {}", matrices), "the weight is left out");
    decoding.parts.push_back(module.encoded(scale));
    use = multiplies ? Global::multiplies : Global::divides;
  }
  for (const std::uint64_t number : {out, layout.shape.back(), layout.group, static_cast<std::uint64_t>(use)})
    decoding.numbers.push_back(static_cast<std::int64_t>(number));
  return module.weight(blocks ? module.name() : module.name() + ".weight", std::move(layout.shape),
                       std::move(decoding), *layout.codes);
}

ScaledCodes grid(const Decoding& decoding, ByteReader& reader) {
  const auto number = [&](Number n) { return static_cast<std::uint64_t>(decoding.numbers.at(n)); };
  ScaledCodes grid;
  grid.bits = 4;
  grid.codes = decoding.parts[0];
  grid.cols = number(cols);
  grid.row_bytes = grid.cols / 2;
  grid.rows = grid.codes.bytes / grid.row_bytes;
  grid.slab_rows = number(slab_rows);
  grid.group_cols = number(group_cols);
  grid.groups = grid.cols / grid.group_cols;
  const auto values = code_table::e2m1();
  grid.values.assign(values.begin(), values.end());
  grid.scales = read_scales(decoding.parts[1], ScaleRule::not_negative, reader);
  const auto use = static_cast<Global>(number(global));
  if (use == Global::none) return grid;
  const std::vector<float> whole = read_scales(decoding.parts[2], ScaleRule::positive, reader);
  const std::uint64_t in_matrix = grid.slab_rows * grid.groups;
  for (std::uint64_t i = 0; i < grid.scales.size(); ++i) {
    const float factor = whole[whole.size() == 1 ? 0 : i / in_matrix];
    grid.scales[i] = use == Global::divides ? grid.scales[i] / factor : grid.scales[i] * factor;
  }
  return grid;
}

std::string described(const Decoding& decoding) {
  const auto size = static_cast<std::uint64_t>(decoding.numbers[group_cols]);
  return fmt::format("{}, groups of {}", size == nvfp4_group ? "NVFP4" : "MXFP4", size);
}

}  // namespace

const QuantisationScheme four_bit_floats_scheme{
    "NVFP4 or MXFP4",
    "four_bit_floats",
    {"compressed-tensors", "modelopt", "modelopt_fp4", "nvfp4", "mxfp4"},
    recognises,
    weight,
    grid,
    described};

}  // namespace stemma
