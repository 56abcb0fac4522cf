// AWQ: four bits, eight outputs (or inputs) in a word, a zero point and a scale for every group of inputs.
// Lin and others, AWQ, 2024; the two layouts of AutoAWQ, named after their kernels.
#include <fmt/format.h>

#include "io/formats/code_table.hpp"
#include "io/formats/packed_codes.hpp"
#include "io/formats/quantised_schemes.hpp"

namespace stemma {
namespace {

enum Number : std::size_t { gemv, cols, rows, group_cols, groups };
constexpr std::array<unsigned, 8> nibble_of_output{0, 4, 1, 5, 2, 6, 3, 7};

/// Words of `qweight`, `qzeros` and `scales` as far as shapes tell the layouts apart.
struct Parts {
  const StoredTensor *codes, *zeros, *scales;
};
std::optional<Parts> parts_of(const QuantisedModule& module) {
  const Parts parts{module.find("qweight"), module.find("qzeros"), module.find("scales")};
  for (const StoredTensor* part : {parts.codes, parts.zeros, parts.scales})
    if (part == nullptr || part->shape.size() != 2) return std::nullopt;
  return parts;
}

bool is_gemm(const Parts& p) {
  return p.codes->shape[1] == p.zeros->shape[1] && p.scales->shape[1] / 8 == p.codes->shape[1] &&
         p.scales->shape[1] % 8 == 0 && p.zeros->shape[0] == p.scales->shape[0] &&
         p.scales->shape[0] <= p.codes->shape[0];
}

bool is_gemv(const Parts& p) {
  return p.codes->shape[0] == p.zeros->shape[0] && p.codes->shape[0] == p.scales->shape[0] &&
         p.scales->shape[1] / 8 == p.zeros->shape[1] && p.scales->shape[1] % 8 == 0;
}

/// GPTQ uses the same names: outputs of its codes are not packed.
bool recognises(const QuantisedModule& module, const QuantisationConfig& config) {
  if (!module.has("qweight") || module.has("g_idx")) return false;
  const auto parts = parts_of(module);
  if (!parts) return is_named(awq_scheme, config);
  if (parts->codes->shape[1] == parts->scales->shape[1]) return false;
  return is_gemm(*parts) || is_gemv(*parts) || is_named(awq_scheme, config);
}

StoredTensor weight(const QuantisedModule& module, const QuantisationContext& context) {
  const QuantisationConfig& config = context.config;
  const bool named = is_named(awq_scheme, config);
  if (named && !config.variant.empty() && config.variant != "gemm" && config.variant != "gemv")
    module.refuse("quant.unsupported", "qweight", "version gemm or gemv",
                  fmt::format("the layout of version {} is not known, so the weight is left out",
                              printable(config.variant, 60)));
  if (named && config.bits && *config.bits != 4)
    module.refuse("quant.bits", "qweight", "4 bits",
                  fmt::format("{} gives {} bits", config.file, *config.bits));
  const StoredTensor& codes = module.require("qweight", {Dtype::i32}, 2);
  const StoredTensor& zeros = module.require("qzeros", {Dtype::i32}, 2);
  const StoredTensor& scales = module.require("scales", {Dtype::f16, Dtype::bf16, Dtype::f32}, 2);
  if (module.has("weight"))
    module.refuse("quant.unsupported", "weight", "codes or values, not both", "neither is used");
  const Parts parts{&codes, &zeros, &scales};
  const bool by_rows = named && config.variant == "gemv" ? is_gemv(parts) : !is_gemm(parts) && is_gemv(parts);
  if (!by_rows && !is_gemm(parts))
    module.refuse("quant.shape", "qweight",
                  fmt::format("eight codes in a word that fit qzeros {} and scales {}", layout_words(zeros),
                              layout_words(scales)),
                  "the parts do not belong together, so the weight is left out");

  const std::uint64_t in = by_rows ? codes.shape[1] * 8 : codes.shape[0];
  const std::uint64_t out = by_rows ? codes.shape[0] : scales.shape[1];
  std::optional<std::uint64_t> size;
  std::uint64_t all_groups = scales.shape[0];
  if (by_rows) {  // groups are padded to whole words, and more: their number is not in the shapes
    const std::int64_t stated = config.group_size.value_or(128);
    size = stated > 0 ? static_cast<std::uint64_t>(stated) : in;
    all_groups = rounded_up_quotient(in, std::max<std::uint64_t>(*size, 1));
    if (all_groups > scales.shape[1]) size.reset();
  } else {
    size = group_size(in, all_groups, config.group_size);
  }
  if (!size)
    module.refuse("quant.shape", "scales", fmt::format("scales of groups of one size over {} inputs", in),
                  "the weight is left out");
  if (named && config.group_size && *config.group_size > 0 && all_groups > 1)
    note_mismatch(module, context, "group_size", config.group_size, *size);

  Decoding decoding{.codec = std::string(awq_scheme.codec),
                    .parts = {module.encoded(codes), module.encoded(zeros), module.encoded(scales)},
                    .numbers = {}};
  for (const std::uint64_t number : {std::uint64_t{by_rows}, in, out, *size, all_groups})
    decoding.numbers.push_back(static_cast<std::int64_t>(number));
  return module.weight(module.name() + ".weight", {out, in}, std::move(decoding), codes);
}

ScaledCodes grid(const Decoding& decoding, ByteReader& reader) {
  const auto number = [&](Number n) { return static_cast<std::uint64_t>(decoding.numbers.at(n)); };
  ScaledCodes grid;
  grid.bits = 4;
  grid.rows = grid.slab_rows = number(rows);
  grid.cols = number(cols);
  grid.groups = number(groups);
  grid.group_cols = number(group_cols);
  grid.values = code_table::unsigned_integers(4);
  grid.codes = decoding.parts[0];
  const std::vector<float> scales = read_scales(decoding.parts[2], ScaleRule::finite, reader);
  const std::vector<std::byte> zeros = read_part(decoding.parts[1], reader);
  if (number(gemv) == 0) {
    grid.held =
        transposed_nibbles(read_part(decoding.parts[0], reader), grid.rows, grid.cols, nibble_of_output);
    grid.row_bytes = (grid.cols + 1) / 2;
    grid.scales = transposed_scales(scales, grid.groups, grid.rows);
  } else {
    grid.row_bytes = grid.cols / 2;
    const std::uint64_t padded = decoding.parts[2].shape[1];
    for (std::uint64_t o = 0; o < grid.rows; ++o)
      for (std::uint64_t g = 0; g < grid.groups; ++g) grid.scales.push_back(scales[o * padded + g]);
  }
  const std::vector<std::byte> turned =
      number(gemv) == 0 ? transposed_nibbles(zeros, grid.rows, grid.groups, nibble_of_output) : zeros;
  const std::uint64_t zero_row = turned.size() / grid.rows;
  std::vector<std::uint8_t> row(grid.groups);
  for (std::uint64_t o = 0; o < grid.rows; ++o) {
    unpack(4, std::span(turned).subspan(o * zero_row, zero_row), 0, row);
    grid.zeros.insert(grid.zeros.end(), row.begin(), row.end());
  }
  return grid;
}

std::string described(const Decoding& decoding) {
  const auto& n = decoding.numbers;
  return fmt::format("AWQ, 4 bits, {}", group_words(n[group_cols], n[cols]));
}

}  // namespace

const QuantisationScheme awq_scheme{"AWQ", "awq", {"awq", "auto-awq"}, recognises, weight, grid, described};

}  // namespace stemma
