// GPTQ: columns of packed integers, a zero point and a scale for every group of inputs of an output.
// Frantar and others, GPTQ, 2023; layout of AutoGPTQ and GPTQModel.
#include <fmt/format.h>

#include <algorithm>

#include "io/formats/code_table.hpp"
#include "io/formats/packed_codes.hpp"
#include "io/formats/quantised_schemes.hpp"

namespace stemma {
namespace {

enum Number : std::size_t { bits, cols, rows, group_cols, groups, stored_less_one };

bool recognises(const QuantisedModule& module, const QuantisationConfig&) {
  return module.has("qweight") || module.has("qzeros");
}

bool is_width(std::uint64_t b) { return b == 2 || b == 3 || b == 4 || b == 8; }

void require_readable(const QuantisedModule& module, const QuantisationConfig& config) {
  const bool plain = config.variant.empty() || config.variant == "gptq" || config.variant == "gptq_v2";
  if (!is_named(gptq_scheme, config)) return;
  if (!plain || (!config.pack_dtype.empty() && config.pack_dtype != "int32"))
    module.refuse("quant.unsupported", "qweight", "checkpoint_format gptq or gptq_v2, packed in int32",
                  fmt::format("this layout ({}) is not known, so the weight is left out",
                              printable(plain ? config.pack_dtype : config.variant, 60)));
  if (config.bits && (*config.bits < 2 || *config.bits > 8))
    module.refuse("quant.bits", "qweight", "2, 3, 4 or 8 bits",
                  fmt::format("{} gives {} bits", config.file, *config.bits));
}

/// Bits of a code: of all that fit words, zero points and inputs, the stated ones, else the fewest.
std::uint64_t width_of(const QuantisedModule& module, const StoredTensor& codes, const StoredTensor& zeros,
                       const StoredTensor& scales, const StoredTensor* index,
                       const QuantisationConfig& config) {
  const std::uint64_t words = codes.shape[0], out = codes.shape[1];
  if (index != nullptr && words != 0 && index->shape[0] != 0) {
    const std::uint64_t inputs = index->shape[0], all = words * 32;
    if (all % inputs == 0 && all / inputs <= 8 && !is_width(all / inputs))
      module.refuse("quant.bits", "qweight", "2, 3, 4 or 8 bits",
                    fmt::format("{} bits for each of {} inputs", all / inputs, inputs));
  }
  std::uint64_t found = 0;
  for (const std::uint64_t b : {2U, 3U, 4U, 8U}) {
    const std::uint64_t inputs = index != nullptr ? index->shape[0] : words * 32 / b;
    const bool fits = words * 32 == inputs * b && zeros.shape[1] == rounded_up_quotient(out * b, 32) &&
                      scales.shape[0] <= inputs;
    const bool stated = config.bits && static_cast<std::uint64_t>(*config.bits) == b;
    if (fits && (found == 0 || stated)) found = b;
  }
  if (found == 0)
    module.refuse("quant.shape", "qweight",
                  fmt::format("codes of 2, 3, 4 or 8 bits that fit qzeros {}", layout_words(zeros)),
                  "the parts do not belong together, so the weight is left out");
  return found;
}

/// Readers differ about zero points that are stored as the largest code less one.
void note_wrapped_zeros(const QuantisedModule& module, const StoredTensor& zeros, std::uint64_t b,
                        std::uint64_t out, const QuantisationContext& context) {
  const std::vector<std::byte> bytes = read_part(module.encoded(zeros), context.reader);
  const std::uint64_t row_bytes = zeros.shape[1] * 4;
  std::vector<std::uint8_t> row(out);
  std::uint64_t wrapped = 0;
  for (std::uint64_t g = 0; g < zeros.shape[0]; ++g) {
    unpack(static_cast<unsigned>(b), std::span(bytes).subspan(g * row_bytes, row_bytes), 0, row);
    wrapped += static_cast<std::uint64_t>(std::ranges::count(row, (1U << b) - 1));
  }
  if (wrapped == 0) return;
  context.findings.push_back({.severity = Severity::warning,
                              .rule = "gptq_zero_wrap",
                              .file = context.config.file,
                              .tensor = zeros.name,
                              .found = fmt::format("{} zero points stored as {}", wrapped, (1U << b) - 1),
                              .hint = "read as 0; other programs read the next power of two"});
}

StoredTensor weight(const QuantisedModule& module, const QuantisationContext& context) {
  const QuantisationConfig& config = context.config;
  require_readable(module, config);
  const StoredTensor& codes = module.require("qweight", {Dtype::i32}, 2);
  const StoredTensor& zeros = module.require("qzeros", {Dtype::i32}, 2);
  const StoredTensor& scales = module.require("scales", {Dtype::f16, Dtype::bf16, Dtype::f32}, 2);
  const StoredTensor* const index = module.find("g_idx");
  if (index != nullptr) module.require("g_idx", {Dtype::i32}, 1);
  if (index == nullptr && config.activation_order && is_named(gptq_scheme, config)) module.require("g_idx");
  if (module.has("weight"))
    module.refuse("quant.unsupported", "weight", "codes or values, not both", "neither is used");

  const std::uint64_t out = codes.shape[1], all_groups = scales.shape[0];
  if (scales.shape[1] != out || all_groups == 0)
    module.refuse("quant.shape", "scales", fmt::format("[groups, {}]", out), "the weight is left out");
  if (zeros.shape[0] != all_groups)
    module.refuse("quant.shape", "qzeros", fmt::format("{} rows", all_groups), "the weight is left out");
  const std::uint64_t b = width_of(module, codes, zeros, scales, index, config);
  const std::uint64_t in = codes.shape[0] * 32 / b;
  const auto size = group_size(in, all_groups, config.group_size);
  if (!size && index == nullptr)
    module.refuse("quant.shape", "scales", fmt::format("groups of one size over {} inputs", in),
                  "the weight is left out");
  if (is_named(gptq_scheme, config)) {
    note_mismatch(module, context, "bits", config.bits, b);
    if (all_groups > 1 && size && config.group_size && *config.group_size > 0)
      note_mismatch(module, context, "group_size", config.group_size, *size);
  }
  const bool less_one = config.variant != "gptq_v2";
  if (less_one && !config.symmetric) note_wrapped_zeros(module, zeros, b, out, context);

  Decoding decoding{.codec = std::string(gptq_scheme.codec),
                    .parts = {module.encoded(codes), module.encoded(zeros), module.encoded(scales)},
                    .numbers = {}};
  if (index != nullptr) decoding.parts.push_back(module.encoded(*index));
  for (const std::uint64_t number : {b, in, out, size.value_or(in), all_groups, std::uint64_t{less_one}})
    decoding.numbers.push_back(static_cast<std::int64_t>(number));
  return module.weight(module.name() + ".weight", {out, in}, std::move(decoding), codes);
}

ScaledCodes grid(const Decoding& decoding, ByteReader& reader) {
  const auto number = [&](Number n) { return static_cast<std::uint64_t>(decoding.numbers.at(n)); };
  ScaledCodes grid;
  grid.bits = static_cast<unsigned>(number(bits));
  grid.rows = grid.slab_rows = number(rows);
  grid.cols = number(cols);
  grid.groups = number(groups);
  grid.group_cols = number(group_cols);
  grid.values = code_table::unsigned_integers(grid.bits);
  grid.codes = decoding.parts[0];
  const std::uint64_t words = decoding.parts[0].shape[0], zero_row = decoding.parts[1].shape[1] * 4;
  grid.held = transposed_words(read_part(decoding.parts[0], reader), words, grid.rows);
  grid.row_bytes = words * 4;
  grid.scales =
      transposed_scales(read_scales(decoding.parts[2], ScaleRule::finite, reader), grid.groups, grid.rows);
  if (decoding.parts.size() > 3)
    grid.group_of = read_group_index(decoding.parts[3], grid.groups, false, reader);

  const std::vector<std::byte> zeros = read_part(decoding.parts[1], reader);
  const auto add = static_cast<unsigned>(number(stored_less_one)), mask = (1U << grid.bits) - 1;
  std::vector<std::uint8_t> row(grid.rows);
  grid.zeros.resize(grid.scales.size());
  for (std::uint64_t g = 0; g < grid.groups; ++g) {
    unpack(grid.bits, std::span(zeros).subspan(g * zero_row, zero_row), 0, row);
    for (std::uint64_t o = 0; o < grid.rows; ++o)
      grid.zeros[o * grid.groups + g] = static_cast<float>((row[o] + add) & mask);
  }
  return grid;
}

std::string described(const Decoding& decoding) {
  const auto& n = decoding.numbers;
  return fmt::format("GPTQ, {} bits, {}{}", n[bits], group_words(n[group_cols], n[cols]),
                     decoding.parts.size() > 3 ? ", inputs named by group" : "");
}

}  // namespace

const QuantisationScheme gptq_scheme{
    "GPTQ", "gptq", {"gptq", "gptqmodel", "auto-gptq", "auto_gptq"}, recognises, weight, grid, described};

}  // namespace stemma
