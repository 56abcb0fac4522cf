// bitsandbytes: four bits in blocks of the flattened weight, with a table of values and, if "nested", scales
// that are quantised in turn; and eight bits with the largest magnitude of every row.
// Dettmers and others, LLM.int8(), 2022, and QLoRA, 2023.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "io/formats/code_table.hpp"
#include "io/formats/companions.hpp"
#include "io/formats/limits.hpp"
#include "io/formats/quantised_schemes.hpp"

namespace stemma {
namespace {

constexpr std::string_view state_nf4 = "weight.quant_state.bitsandbytes__nf4",
                           state_fp4 = "weight.quant_state.bitsandbytes__fp4";
constexpr std::uint64_t largest_state = 65'536;  // bytes; real ones have 200
constexpr float largest_code = 127.0F;

enum Number : std::size_t { value_count, block_size, nested_size, offset_bits, table_is_nf4 };

bool recognises_4bit(const QuantisedModule& module, const QuantisationConfig& config) {
  if (module.has(state_nf4) || module.has(state_fp4) || module.has("weight.absmax")) return true;
  const StoredTensor* weight = module.find("weight");
  return weight != nullptr && weight->dtype == Dtype::u8 && config.method == "bitsandbytes";
}

bool recognises_8bit(const QuantisedModule& module, const QuantisationConfig& config) {
  const StoredTensor* weight = module.find("weight");
  return module.has("SCB") ||
         (weight != nullptr && weight->dtype == Dtype::i8 && config.method == "bitsandbytes");
}

struct State {
  std::vector<std::uint64_t> shape;
  std::uint64_t block = 0, nested_block = 0;
  float nested_offset = 0;
};

/// A size above 0 at `key` of an object.
std::optional<std::uint64_t> size_at(const nlohmann::json& from, const char* key) {
  const auto found = from.find(key);
  if (found == from.end() || !found->is_number_unsigned() || found->get<std::uint64_t>() == 0)
    return std::nullopt;
  return found->get<std::uint64_t>();
}

/// What the text says, or the first thing that is wrong with it.
std::optional<State> read_state(const std::string& text, bool nested, std::string_view kind,
                                std::string& wrong) {
  nlohmann::json root;
  try {
    root = nlohmann::json::parse(strict_config(text, "quant_state"));
  } catch (const InvalidInput& refused) {
    wrong = sentence(refused.finding());
    return std::nullopt;
  }
  const auto fail = [&](std::string_view key) -> std::optional<State> {
    wrong = fmt::format("the value of {} is absent or impossible", key);
    return std::nullopt;
  };
  const auto type = root.find("quant_type");
  if (type == root.end() || !type->is_string() || type->get_ref<const std::string&>() != kind)
    return fail("quant_type");
  State state;
  const auto shape = root.find("shape");
  if (shape == root.end() || !shape->is_array() || shape->empty() || shape->size() > limits::tensor_rank)
    return fail("shape");
  for (const auto& size : *shape) {
    if (!size.is_number_unsigned() || size.get<std::uint64_t>() == 0) return fail("shape");
    state.shape.push_back(size.get<std::uint64_t>());
  }
  const auto block = size_at(root, "blocksize");
  if (!block || *block % 2 != 0) return fail("blocksize");
  state.block = *block;
  if (!nested) return state;
  const auto nested_block = size_at(root, "nested_blocksize");
  if (!nested_block) return fail("nested_blocksize");
  state.nested_block = *nested_block;
  const auto offset = root.find("nested_offset");
  if (offset == root.end() || !offset->is_number() || !std::isfinite(offset->get<float>()))
    return fail("nested_offset");
  state.nested_offset = offset->get<float>();
  return state;
}

void require_length(const QuantisedModule& module, std::string_view part, std::initializer_list<Dtype> dtypes,
                    std::uint64_t length) {
  if (module.require(part, dtypes, 1).shape[0] != length)
    module.refuse("quant.shape", part, fmt::format("[{}]", length), "the weight is left out");
}

/// The stored table must be the one that the name promises: it is what the codes were made with.
void require_table(const QuantisedModule& module, bool nf4, ByteReader& reader) {
  require_length(module, "weight.quant_map", {Dtype::f32}, 16);
  const auto expected = nf4 ? code_table::nf4() : code_table::fp4();
  const auto stored =
      read_scales(module.encoded(module.require("weight.quant_map")), ScaleRule::finite, reader);
  for (std::size_t i = 0; i < stored.size(); ++i)
    if (std::abs(stored[i] - expected[i]) > 1e-6F)
      module.refuse("quant.unsupported", "weight.quant_map",
                    fmt::format("the table of {}", nf4 ? "NF4" : "FP4"),
                    fmt::format("value {} is {}, not {}", i, stored[i], expected[i]));
}

StoredTensor weight_4bit(const QuantisedModule& module, const QuantisationContext& context) {
  if (module.has(state_nf4) && module.has(state_fp4))
    module.refuse("quant.unsupported", state_fp4, "one quant_state",
                  "two contradict each other: the weight is left out");
  const bool nf4 = !module.has(state_fp4), nested = module.has("weight.nested_absmax");
  const std::string_view state_name = nf4 ? state_nf4 : state_fp4;
  const StoredTensor& codes = module.require("weight");
  module.require("weight", {Dtype::u8, Dtype::i8, Dtype::f16, Dtype::bf16, Dtype::f32}, codes.shape.size());
  const StoredTensor& stored_state = module.require(state_name, {Dtype::u8}, 1);
  if (stored_state.bytes > largest_state)
    module.refuse("quant.state_json", state_name, fmt::format("at most {} bytes", largest_state),
                  "the weight is left out");
  const std::vector<std::byte> bytes = read_part(module.encoded(stored_state), context.reader);
  std::string text(bytes.size(), '\0'), wrong;
  std::memcpy(text.data(), bytes.data(), bytes.size());
  const auto state = read_state(text, nested, nf4 ? "nf4" : "fp4", wrong);
  if (!state)
    module.refuse("quant.state_json", state_name, "JSON with quant_type, shape and blocksize",
                  printable(wrong) + ": the weight is left out");

  std::uint64_t count = 1;
  for (const std::uint64_t size : state->shape)
    if (__builtin_mul_overflow(count, size, &count) || count >= limits::elements)
      module.refuse("quant.shape", state_name, "a shape whose elements can be counted",
                    "the weight is left out");
  const std::uint64_t width = std::max(bits_of(codes.dtype) / 8, 1U), halves = rounded_up_quotient(count, 2);
  if (codes.bytes < halves || codes.bytes - halves >= width)
    module.refuse("quant.shape", "weight",
                  fmt::format("{} bytes for [{}]", halves, fmt::join(state->shape, ", ")),
                  "the weight is left out");
  const std::uint64_t blocks = rounded_up_quotient(count, state->block);
  require_length(module, "weight.absmax", {nested ? Dtype::u8 : Dtype::f32}, blocks);
  require_table(module, nf4, context.reader);

  Decoding decoding{.codec = std::string(bitsandbytes_4bit_scheme.codec),
                    .parts = {module.encoded(codes), module.encoded(module.require("weight.absmax")),
                              module.encoded(module.require("weight.quant_map"))},
                    .numbers = {}};
  if (nested) {
    require_length(module, "weight.nested_absmax", {Dtype::f32},
                   rounded_up_quotient(blocks, state->nested_block));
    require_length(module, "weight.nested_quant_map", {Dtype::f32}, 256);
    decoding.parts.push_back(module.encoded(module.require("weight.nested_absmax")));
    decoding.parts.push_back(module.encoded(module.require("weight.nested_quant_map")));
  }
  for (const std::uint64_t number :
       {count, state->block, state->nested_block,
        std::uint64_t{std::bit_cast<std::uint32_t>(state->nested_offset)}, std::uint64_t{nf4}})
    decoding.numbers.push_back(static_cast<std::int64_t>(number));
  return module.weight(module.name() + ".weight", state->shape, std::move(decoding), codes);
}

/// A block is a row with one scale; the last one may be short.
ScaledCodes grid_4bit(const Decoding& decoding, ByteReader& reader) {
  const auto number = [&](Number n) { return static_cast<std::uint64_t>(decoding.numbers.at(n)); };
  ScaledCodes grid;
  grid.bits = 4;
  grid.high_first = true;
  grid.codes = decoding.parts[0];
  grid.cols = grid.group_cols = number(block_size);
  grid.row_bytes = grid.cols / 2;
  grid.rows = grid.slab_rows = rounded_up_quotient(number(value_count), grid.cols);
  grid.values = read_scales(decoding.parts[2], ScaleRule::finite, reader);
  if (decoding.parts.size() == 3) {
    grid.scales = read_scales(decoding.parts[1], ScaleRule::not_negative, reader);
    return grid;
  }
  const auto outer = read_scales(decoding.parts[3], ScaleRule::not_negative, reader);
  const auto table = read_scales(decoding.parts[4], ScaleRule::finite, reader);
  const float offset = std::bit_cast<float>(static_cast<std::uint32_t>(number(offset_bits)));
  for (const std::byte code : read_part(decoding.parts[1], reader)) {
    const float product =
        table[std::to_integer<std::size_t>(code)] * outer[grid.scales.size() / number(nested_size)];
    grid.scales.push_back(product + offset);
  }
  return grid;
}

std::string described_4bit(const Decoding& decoding) {
  const auto& n = decoding.numbers;
  return fmt::format("bitsandbytes {}, blocks of {}{}", n[table_is_nf4] != 0 ? "NF4" : "FP4", n[block_size],
                     decoding.parts.size() > 3 ? ", nested scales" : "");
}

StoredTensor weight_8bit(const QuantisedModule& module, const QuantisationContext& context) {
  const StoredTensor& codes = module.require("weight", {Dtype::i8}, 2);
  require_length(module, "SCB", {Dtype::f32}, codes.shape[0]);
  if (const StoredTensor* format = module.find("weight_format")) {
    const std::vector<std::byte> bytes = read_part(module.encoded(*format), context.reader);
    if (std::ranges::any_of(bytes, [](std::byte b) { return b != std::byte{0}; }))
      module.refuse(
          "quant.unsupported", "weight_format", "0, rows",
          "values that were laid out for one kind of processor are not read: the weight is left out");
  }
  return module.weight(module.name() + ".weight", codes.shape,
                       {.codec = std::string(bitsandbytes_8bit_scheme.codec),
                        .parts = {module.encoded(codes), module.encoded(module.require("SCB"))},
                        .numbers = {}},
                       codes);
}

ScaledCodes grid_8bit(const Decoding& decoding, ByteReader& reader) {
  ScaledCodes grid;
  grid.codes = decoding.parts[0];
  grid.rows = grid.slab_rows = grid.codes.shape[0];
  grid.cols = grid.row_bytes = grid.group_cols = grid.codes.shape[1];
  grid.values = code_table::signed_bytes();
  grid.scales = read_scales(decoding.parts[1], ScaleRule::not_negative, reader);
  for (float& scale : grid.scales) scale /= largest_code;
  return grid;
}

std::string described_8bit(const Decoding&) { return "bitsandbytes INT8, one scale per row"; }

}  // namespace

const QuantisationScheme bitsandbytes_4bit_scheme{
    "bitsandbytes, 4 bits", "bitsandbytes_4bit", {"bitsandbytes"}, recognises_4bit, weight_4bit, grid_4bit,
    described_4bit};

const QuantisationScheme bitsandbytes_8bit_scheme{
    "bitsandbytes, 8 bits", "bitsandbytes_8bit", {"bitsandbytes"}, recognises_8bit, weight_8bit, grid_8bit,
    described_8bit};

}  // namespace stemma
