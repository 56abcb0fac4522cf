// Integers of 1 to 8 bits, every row one string of bits in 32-bit words: "pack-quantized" of
// compressed-tensors.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "io/formats/code_table.hpp"
#include "io/formats/packed_codes.hpp"
#include "io/formats/quantised_schemes.hpp"

namespace stemma {
namespace {

enum Number : std::size_t { bits, slab_rows, cols, group_cols, groups, has_zeros, has_index };

bool recognises(const QuantisedModule& module, const QuantisationConfig&) {
  const StoredTensor* packed = module.find("weight_packed");
  return packed == nullptr ? module.has("weight_shape") : packed->dtype != Dtype::u8;
}

/// Outputs and inputs, which the words alone do not tell.
std::array<std::uint64_t, 2> stated_shape(const QuantisedModule& module, ByteReader& reader) {
  const StoredTensor& part = module.require("weight_shape", {Dtype::i64, Dtype::i32}, 1);
  const std::size_t axes = part.shape[0], width = bits_of(part.dtype) / 8;
  std::array<std::uint64_t, 2> shape{};
  if (axes < 2 || axes > 3)
    module.refuse("quant.shape", "weight_shape", "two sizes, or three", "the weight is left out");
  const std::vector<std::byte> bytes = read_part(module.encoded(part), reader);
  for (std::size_t i = 0; i < 2; ++i)
    std::memcpy(&shape[i], bytes.data() + (axes - 2 + i) * width, width);  // little-endian, not negative
  for (const std::uint64_t size : shape)
    if (size == 0 || size >= std::uint64_t{1} << 48)
      module.refuse("quant.shape", "weight_shape", "sizes of a matrix",
                    fmt::format("it says {} and {}", shape[0], shape[1]));
  return shape;
}

/// Bits of a code: of all that fit the words of a row, the stated ones, else the only ones.
std::uint64_t width_of(const QuantisedModule& module, std::uint64_t words, std::uint64_t in,
                       const QuantisationConfig& config) {
  std::vector<std::uint64_t> fit;
  for (std::uint64_t b = 1; b <= 8; ++b)
    if (rounded_up_quotient(in * b, 32) == words) fit.push_back(b);
  if (fit.empty())
    module.refuse("quant.shape", "weight_packed", fmt::format("rows of {} codes of 1 to 8 bits", in),
                  "the words do not hold so many, so the weight is left out");
  if (config.bits && std::ranges::find(fit, static_cast<std::uint64_t>(*config.bits)) != fit.end())
    return static_cast<std::uint64_t>(*config.bits);
  if (fit.size() > 1)
    module.refuse("quant.bits", "weight_packed", "a configuration that says how many bits a code has",
                  fmt::format("{} and {} bits would fit, so the weight is left out", fit[0], fit[1]));
  return fit[0];
}

StoredTensor weight(const QuantisedModule& module, const QuantisationContext& context) {
  const std::size_t rank = module.require("weight_packed").shape.size();
  if (rank != 2 && rank != 3)
    module.refuse("quant.shape", "weight_packed", "a matrix, or a stack of matrices",
                  "the weight is left out");
  const StoredTensor& codes = module.require("weight_packed", {Dtype::i32}, rank);
  const StoredTensor& scale = module.require("weight_scale", {Dtype::f16, Dtype::bf16, Dtype::f32}, rank);
  const auto [out, in] = stated_shape(module, context.reader);
  if (codes.shape[rank - 2] != out)
    module.refuse("quant.shape", "weight_shape", fmt::format("{} outputs", codes.shape[rank - 2]),
                  fmt::format("it says {}, so the weight is left out", out));
  const std::uint64_t b = width_of(module, codes.shape[rank - 1], in, context.config);
  const std::uint64_t across = scale.shape[rank - 1];
  std::vector<std::uint64_t> leading(codes.shape.begin(), codes.shape.end() - 1);
  if (!std::equal(leading.begin(), leading.end(), scale.shape.begin()))
    module.refuse("quant.shape", "weight_scale", fmt::format("[{}, groups]", fmt::join(leading, ", ")),
                  "the weight is left out");
  auto size = group_size(in, across, context.config.group_size);
  if (const std::uint64_t uneven = rounded_up_quotient(in, across);
      !size && rounded_up_quotient(in, uneven) == across)
    size = uneven;  // the last group is smaller
  if (!size)
    module.refuse("quant.shape", "weight_scale",
                  fmt::format("scales of groups of one size over {} inputs", in), "the weight is left out");
  if (is_named(packed_integers_scheme, context.config))
    note_mismatch(module, context, "bits", context.config.bits, b);

  Decoding decoding{.codec = std::string(packed_integers_scheme.codec),
                    .parts = {module.encoded(codes), module.encoded(scale)},
                    .numbers = {}};
  const bool zeros = module.has("weight_zero_point"), index = module.has("weight_g_idx");
  if (zeros) {
    const StoredTensor& part = module.require("weight_zero_point", {Dtype::i32}, rank);
    std::vector<std::uint64_t> expected = scale.shape;
    expected[rank - 2] = rounded_up_quotient(out * b, 32);
    if (part.shape != expected)
      module.refuse("quant.shape", "weight_zero_point", fmt::format("[{}]", fmt::join(expected, ", ")),
                    "the weight is left out");
    decoding.parts.push_back(module.encoded(part));
  }
  if (index) {
    const StoredTensor& part = module.require("weight_g_idx", {Dtype::i32}, 1);
    if (part.shape[0] != in)
      module.refuse("quant.shape", "weight_g_idx", fmt::format("[{}]", in), "the weight is left out");
    decoding.parts.push_back(module.encoded(part));
  }
  for (const std::uint64_t number : {b, out, in, *size, across, std::uint64_t{zeros}, std::uint64_t{index}})
    decoding.numbers.push_back(static_cast<std::int64_t>(number));
  leading.push_back(in);
  return module.weight(module.name() + ".weight", std::move(leading), std::move(decoding), codes);
}

ScaledCodes grid(const Decoding& decoding, ByteReader& reader) {
  const auto number = [&](Number n) { return static_cast<std::uint64_t>(decoding.numbers.at(n)); };
  ScaledCodes grid;
  grid.bits = static_cast<unsigned>(number(bits));
  grid.codes = decoding.parts[0];
  grid.row_bytes = grid.codes.shape.back() * 4;
  grid.rows = grid.codes.bytes / grid.row_bytes;
  grid.slab_rows = number(slab_rows);
  grid.cols = number(cols);
  grid.group_cols = number(group_cols);
  grid.groups = number(groups);
  grid.values = code_table::unsigned_integers(grid.bits);
  grid.scales = read_scales(decoding.parts[1], ScaleRule::not_negative, reader);
  if (number(has_index) != 0)
    grid.group_of = read_group_index(decoding.parts.back(), grid.groups, true, reader);
  // Codes and zero points are stored above 2^(bits - 1), which their difference does not see.
  grid.zeros.assign(grid.scales.size(), static_cast<float>(1U << (grid.bits - 1)));
  if (number(has_zeros) == 0) return grid;
  const std::vector<std::byte> stored = read_part(decoding.parts[2], reader);
  const std::uint64_t words = rounded_up_quotient(grid.slab_rows * grid.bits, 32);
  const std::uint64_t slab_bytes = words * grid.groups * 4;
  std::vector<std::uint8_t> column(grid.slab_rows);
  for (std::uint64_t slab = 0; slab < grid.rows / grid.slab_rows; ++slab) {
    const auto turned =
        transposed_words(std::span(stored).subspan(slab * slab_bytes, slab_bytes), words, grid.groups);
    for (std::uint64_t g = 0; g < grid.groups; ++g) {
      unpack(grid.bits, std::span(turned).subspan(g * words * 4, words * 4), 0, column);
      for (std::uint64_t o = 0; o < grid.slab_rows; ++o)
        grid.zeros[(slab * grid.slab_rows + o) * grid.groups + g] = static_cast<float>(column[o]);
    }
  }
  return grid;
}

std::string described(const Decoding& decoding) {
  const auto& n = decoding.numbers;
  return fmt::format("compressed-tensors, {} bits, {}{}", n[bits], group_words(n[group_cols], n[cols]),
                     n[has_index] != 0 ? ", inputs named by group" : "");
}

}  // namespace

const QuantisationScheme packed_integers_scheme{
    "compressed-tensors", "packed_integers", {"compressed-tensors"}, recognises, weight, grid, described};

}  // namespace stemma
