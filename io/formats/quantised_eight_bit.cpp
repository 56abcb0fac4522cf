// Eight bits a value: FP8 and INT8 with scales per tensor, row, group or block, as Transformers, fbgemm,
// ModelOpt and compressed-tensors write them; MXFP8, whose scales are powers of two, is one of them.
#include <fmt/format.h>

#include "io/formats/code_table.hpp"
#include "io/formats/quantised_schemes.hpp"

namespace stemma {
namespace {

enum Number : std::size_t { slab_rows, cols, group_rows, group_cols };
constexpr std::uint64_t usual_block = 128;

bool is_small_float(Dtype dtype) { return dtype >= Dtype::f8_e4m3 && dtype <= Dtype::f8_e5m2fnuz; }

std::string_view scale_part(const QuantisedModule& module) {
  return module.has("weight_scale_inv") ? "weight_scale_inv" : "weight_scale";
}

/// Eight bits without a scale are plain values, unless the configuration says that they are codes.
bool recognises(const QuantisedModule& module, const QuantisationConfig& config) {
  const StoredTensor* weight = module.find("weight");
  const bool scaled = module.has("weight_scale") || module.has("weight_scale_inv");
  if (weight == nullptr) return scaled && !module.has("weight_packed");
  if (!is_small_float(weight->dtype) && weight->dtype != Dtype::i8) return false;
  return scaled || is_named(eight_bit_scheme, config);
}

struct Groups {
  std::uint64_t slab_rows, rows, cols;
};

std::optional<std::uint64_t> as_size(std::int64_t stated) {
  return stated > 0 ? std::optional(static_cast<std::uint64_t>(stated)) : std::nullopt;
}

/// How scales of shape (down, across) cover a slab of (out, in): every legal form in turn. Forms that agree
/// in shape agree in what they mean, but for blocks of one row, which are groups.
std::optional<Groups> cover(std::uint64_t out, std::uint64_t in, std::uint64_t down, std::uint64_t across,
                            const QuantisationConfig& config) {
  if (down == 1 && across == 1) return Groups{out, out, in};
  const auto tiles = [&](std::uint64_t rows, std::uint64_t columns) {
    return rounded_up_quotient(out, rows) == down && rounded_up_quotient(in, columns) == across;
  };
  if (config.block) {
    const auto rows = as_size(config.block->first), columns = as_size(config.block->second);
    if (rows && columns && tiles(*rows, *columns)) return Groups{out, *rows, *columns};
  }
  if (down == out)
    if (const auto size = group_size(in, across, config.group_size)) return Groups{out, 1, *size};
  if (tiles(usual_block, usual_block)) return Groups{out, usual_block, usual_block};
  if (down != 0 && across != 0 && out % down == 0 && in % across == 0)
    return Groups{out, out / down, in / across};
  return std::nullopt;
}

std::optional<Groups> groups_of(const std::vector<std::uint64_t>& weight,
                                const std::vector<std::uint64_t>& scale, std::uint64_t scales,
                                const QuantisationConfig& config) {
  const std::size_t leading = weight.size() - 2;
  const std::uint64_t out = weight[leading], in = weight[leading + 1];
  if (scales == 1) {
    std::uint64_t rows = out;
    for (std::size_t axis = 0; axis < leading; ++axis) rows *= weight[axis];
    return Groups{rows, rows, in};
  }
  for (std::size_t axis = 0; axis < leading; ++axis)
    if (axis >= scale.size() || scale[axis] != weight[axis]) return std::nullopt;
  const std::size_t own = scale.size() - leading;
  if (own > 2) return std::nullopt;
  return cover(out, in, own > 0 ? scale[leading] : 1, own > 1 ? scale[leading + 1] : 1, config);
}

StoredTensor weight(const QuantisedModule& module, const QuantisationContext& context) {
  const StoredTensor& codes = module.require("weight");
  if (codes.shape.size() < 2 || codes.elements() == 0)
    module.refuse("quant.shape", "weight", "a matrix, or a stack of matrices", "the weight is left out");
  const std::string_view part = scale_part(module);
  const StoredTensor& scale = module.require(part);
  module.require(part, {Dtype::f32, Dtype::bf16, Dtype::f16, Dtype::u8, Dtype::f8_e8m0}, scale.shape.size());
  const auto groups = groups_of(codes.shape, scale.shape, scale.elements(), context.config);
  if (!groups)
    module.refuse("quant.shape", part,
                  fmt::format("scales per tensor, row, group or block of {}", layout_words(codes)),
                  "nobody can say which scale belongs to which value, so the weight is left out");
  Decoding decoding{.codec = std::string(eight_bit_scheme.codec),
                    .parts = {module.encoded(codes), module.encoded(scale)},
                    .numbers = {}};
  if (module.has("weight_zero_point")) {
    const StoredTensor& zeros = module.require("weight_zero_point", {codes.dtype}, scale.shape.size());
    if (zeros.shape != scale.shape)
      module.refuse("quant.shape", "weight_zero_point", layout_words(scale), "the weight is left out");
    decoding.parts.push_back(module.encoded(zeros));
  }
  for (const std::uint64_t number : {groups->slab_rows, codes.shape.back(), groups->rows, groups->cols})
    decoding.numbers.push_back(static_cast<std::int64_t>(number));
  return module.weight(module.name() + ".weight", codes.shape, std::move(decoding), codes);
}

ScaledCodes grid(const Decoding& decoding, ByteReader& reader) {
  const auto number = [&](Number n) { return static_cast<std::uint64_t>(decoding.numbers.at(n)); };
  const Dtype dtype = decoding.parts[0].dtype;
  const bool integers = dtype == Dtype::i8;
  ScaledCodes grid;
  grid.codes = decoding.parts[0];
  grid.cols = grid.row_bytes = number(cols);
  grid.rows = grid.codes.bytes / grid.cols;
  grid.slab_rows = number(slab_rows);
  grid.group_rows = number(group_rows);
  grid.group_cols = number(group_cols);
  grid.groups = rounded_up_quotient(grid.cols, grid.group_cols);
  grid.values = integers ? code_table::signed_bytes() : code_table::small_floats(dtype);
  grid.scales =
      read_scales(decoding.parts[1], integers ? ScaleRule::not_negative : ScaleRule::positive, reader);
  if (decoding.parts.size() > 2)
    for (const std::byte code : read_part(decoding.parts[2], reader))
      grid.zeros.push_back(grid.values[std::to_integer<std::size_t>(code)]);
  return grid;
}

std::string described(const Decoding& decoding) {
  const auto& n = decoding.numbers;
  const Dtype dtype = decoding.parts[0].dtype, scale = decoding.parts[1].dtype;
  const bool powers = scale == Dtype::u8 || scale == Dtype::f8_e8m0;
  const std::string kind = dtype == Dtype::i8 ? "INT8"
                           : powers && n[group_rows] == 1 && n[group_cols] == 32
                               ? "MXFP8"
                               : fmt::format("FP8 ({})", name_of(dtype).substr(3));
  if (n[group_rows] >= n[slab_rows] && n[group_cols] >= n[cols]) return kind + ", one scale per matrix";
  if (n[group_rows] == 1) return fmt::format("{}, {}", kind, group_words(n[group_cols], n[cols]));
  return fmt::format("{}, blocks of {} x {}", kind, n[group_rows], n[group_cols]);
}

}  // namespace

const QuantisationScheme eight_bit_scheme{
    "FP8 or INT8", "scaled_bytes", {"fp8", "fbgemm_fp8", "compressed-tensors", "modelopt", "mxfp8"},
    recognises,    weight,         grid,
    described};

}  // namespace stemma
