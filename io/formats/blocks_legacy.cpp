// 32 values with one scale, and with a minimum in those that end in 1.
#include <array>

#include "io/formats/block_codec.hpp"

namespace stemma {
namespace {

using blocks::half_at;

constexpr std::size_t half_block = 16;

/// out[j] = scale * (code - zero) + minimum; the low nibbles are the first half of the block.
template <bool WithMinimum>
void scale_nibbles(const std::uint8_t* codes, float scale, int zero, float minimum, float* out) {
  for (std::size_t j = 0; j < half_block; ++j) {
    const auto low = static_cast<float>((codes[j] & 15) - zero);
    const auto high = static_cast<float>((codes[j] >> 4) - zero);
    out[j] = WithMinimum ? scale * low + minimum : scale * low;
    out[j + half_block] = WithMinimum ? scale * high + minimum : scale * high;
  }
}

/// The same with a fifth bit for every code, bit j of `fifth` for value j.
template <bool WithMinimum>
void scale_fives(const std::uint8_t* codes, std::uint32_t fifth, float scale, int zero, float minimum,
                 float* out) {
  for (std::size_t j = 0; j < half_block; ++j) {
    const int low = (codes[j] & 15) + static_cast<int>((fifth >> j & 1U) << 4);
    const int high = (codes[j] >> 4) + static_cast<int>((fifth >> (j + half_block) & 1U) << 4);
    const float a = scale * static_cast<float>(low - zero), b = scale * static_cast<float>(high - zero);
    out[j] = WithMinimum ? a + minimum : a;
    out[j + half_block] = WithMinimum ? b + minimum : b;
  }
}

/// What all have in common: 32 values, an F16 scale in front.
struct Legacy {
  static constexpr std::size_t values = 32;
  static void half_distances(const std::uint8_t* block, float* out) {
    blocks::fill_half(half_at(block), out, values);
  }
};

struct FourBits : Legacy {
  static constexpr std::size_t bytes = 18;
  static void decode(const std::uint8_t* block, float* out) {
    scale_nibbles<false>(block + 2, half_at(block), 8, 0, out);
  }
};

struct FourBitsAndMinimum : Legacy {
  static constexpr std::size_t bytes = 20;
  static void decode(const std::uint8_t* block, float* out) {
    scale_nibbles<true>(block + 4, half_at(block), 0, half_at(block + 2), out);
  }
};

struct FiveBits : Legacy {
  static constexpr std::size_t bytes = 22;
  static void decode(const std::uint8_t* block, float* out) {
    scale_fives<false>(block + 6, blocks::number_at<std::uint32_t>(block + 2), half_at(block), 16, 0, out);
  }
};

struct FiveBitsAndMinimum : Legacy {
  static constexpr std::size_t bytes = 24;
  static void decode(const std::uint8_t* block, float* out) {
    scale_fives<true>(block + 8, blocks::number_at<std::uint32_t>(block + 4), half_at(block), 0,
                      half_at(block + 2), out);
  }
};

/// Signed bytes behind a header of so many bytes.
template <std::size_t Header>
struct Bytes : Legacy {
  static constexpr std::size_t bytes = Header + values;
  static void decode(const std::uint8_t* block, float* out) {
    const float scale = half_at(block);
    for (std::size_t j = 0; j < values; ++j)
      out[j] = scale * static_cast<float>(static_cast<std::int8_t>(block[Header + j]));
  }
};

constexpr std::array legacy_codecs{
    blocks::codec_of<FourBits>("q4_0"), blocks::codec_of<FourBitsAndMinimum>("q4_1"),
    blocks::codec_of<FiveBits>("q5_0"), blocks::codec_of<FiveBitsAndMinimum>("q5_1"),
    blocks::codec_of<Bytes<2>>("q8_0"), blocks::codec_of<Bytes<4>>("q8_1"),
};

}  // namespace

std::span<const BlockCodec> legacy_blocks() { return legacy_codecs; }

}  // namespace stemma
