// Which block codecs are there, and what are the values of their blocks?
#pragma once
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace stemma {

/// A number type whose values are stored in blocks of one size, each with its own scale. Blocks lie one after
/// the other, values in row-major order. Layouts and formulas are those of ggml; every product is exact in
/// F32, so at most one rounding happens, the same on every machine.
struct BlockCodec {
  std::string_view name;   ///< "q4_0"
  std::size_t values = 0;  ///< of a block
  std::size_t bytes = 0;   ///< of a block
  using Decode = void (*)(const std::uint8_t* blocks, std::size_t count, float* out);
  Decode decode = nullptr;          ///< values of `count` blocks
  Decode half_distances = nullptr;  ///< of every value: half the distance to the farther neighbouring code
};

/// Nullptr for a name that no codec has.
const BlockCodec* block_codec(std::string_view name);

std::span<const BlockCodec> legacy_blocks();  ///< q4_0 to q8_1: one scale for 32 values
std::span<const BlockCodec> k_blocks();       ///< q2_k to q8_k: scales of scales, 256 values
std::span<const BlockCodec> iq4_blocks();  ///< iq4_nl, iq4_xs: sixteen values that are not equally far apart
std::span<const BlockCodec> micro_blocks();  ///< mxfp4, nvfp4, and one or two bits

namespace blocks {

/// A codec whose type decodes one block at a time.
template <class Block>
constexpr BlockCodec codec_of(std::string_view name) {
  return {name, Block::values, Block::bytes,
          [](const std::uint8_t* block, std::size_t count, float* out) {
            for (; count > 0; --count, block += Block::bytes, out += Block::values) Block::decode(block, out);
          },
          [](const std::uint8_t* block, std::size_t count, float* out) {
            for (; count > 0; --count, block += Block::bytes, out += Block::values)
              Block::half_distances(block, out);
          }};
}

template <class Number>
Number number_at(const std::uint8_t* at) {
  Number number;
  std::memcpy(&number, at, sizeof number);
  return number;
}

/// The F16 at `at`: its exponent moves to the place of an F32's, and the product with 2^112 mends the bias of
/// normal and subnormal numbers alike.
inline float half_at(const std::uint8_t* at) {
  const std::uint32_t code = number_at<std::uint16_t>(at);
  const std::uint32_t magnitude = (code & 0x7FFFU) << 13;
  const float value = (code & 0x7C00U) == 0x7C00U ? std::bit_cast<float>(magnitude | 0x7F800000U)
                                                  : std::bit_cast<float>(magnitude) * 0x1p112F;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | (code & 0x8000U) << 16);
}

/// All `count` values are equally far from both neighbours.
inline void fill_half(float step, float* out, std::size_t count) {
  const float half = std::fabs(step) / 2;
  for (std::size_t i = 0; i < count; ++i) out[i] = half;
}

}  // namespace blocks
}  // namespace stemma
