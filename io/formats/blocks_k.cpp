// 256 values in sub-blocks whose scales, and minima in some, are small integers times an F16.
#include <array>

#include "io/formats/block_codec.hpp"

namespace stemma {
namespace {

using blocks::half_at;

constexpr std::size_t block_values = 256;

/// Two bits of each code, in the order in which 64 bytes hold them: of 32 bytes the lowest pairs of bits,
/// then the next. Calls group(g, first byte, shift) for the sixteen groups of 16 values.
template <class Group>
void walk_pairs(const Group& group) {
  for (std::size_t g = 0; g < 16; ++g) group(g, g / 8 * 32 + g % 2 * 16, static_cast<int>(g % 8 / 2 * 2));
}

struct Q2K {
  static constexpr std::size_t values = block_values, bytes = 84;
  static void decode(const std::uint8_t* block, float* out) {
    const float d = half_at(block + 80), dmin = half_at(block + 82);
    walk_pairs([&](std::size_t g, std::size_t from, int shift) {
      const float scale = d * static_cast<float>(block[g] & 15);
      const float minimum = dmin * static_cast<float>(block[g] >> 4);
      const std::uint8_t* codes = block + 16 + from;
      for (std::size_t l = 0; l < 16; ++l)
        out[16 * g + l] = scale * static_cast<float>(codes[l] >> shift & 3) - minimum;
    });
  }
  static void half_distances(const std::uint8_t* block, float* out) {
    const float d = half_at(block + 80);
    for (std::size_t g = 0; g < 16; ++g)
      blocks::fill_half(d * static_cast<float>(block[g] & 15), out + 16 * g, 16);
  }
};

struct Q3K {
  static constexpr std::size_t values = block_values, bytes = 110;
  /// Low four bits of two scales share a byte, high two bits of four.
  static float scale(const std::uint8_t* block, std::size_t g) {
    const std::uint8_t* s = block + 96;
    const int low = g < 8 ? s[g] & 15 : s[g - 8] >> 4, high = s[8 + g % 4] >> (2 * (g / 4)) & 3;
    return half_at(block + 108) * static_cast<float>(low + 16 * high - 32);
  }
  static void decode(const std::uint8_t* block, float* out) {
    walk_pairs([&](std::size_t g, std::size_t from, int shift) {
      const float d = scale(block, g);
      const std::uint8_t *third = block + g % 2 * 16, *codes = block + 32 + from;
      const auto bit = static_cast<int>(g / 2);
      for (std::size_t l = 0; l < 16; ++l)
        out[16 * g + l] = d * static_cast<float>((codes[l] >> shift & 3) + 4 * (third[l] >> bit & 1) - 4);
    });
  }
  static void half_distances(const std::uint8_t* block, float* out) {
    for (std::size_t g = 0; g < 16; ++g) blocks::fill_half(scale(block, g), out + 16 * g, 16);
  }
};

/// Eight scales and eight minima of six bits in twelve bytes, behind two F16: as Q4_K and Q5_K begin.
struct SixBitScales {
  explicit SixBitScales(const std::uint8_t* block) {
    const float d = half_at(block), dmin = half_at(block + 2);
    const std::uint8_t* s = block + 4;
    for (std::size_t j = 0; j < 8; ++j) {
      const int sc = j < 4 ? s[j] & 63 : (s[j + 4] & 15) + 16 * (s[j - 4] >> 6);
      const int m = j < 4 ? s[j + 4] & 63 : (s[j + 4] >> 4) + 16 * (s[j] >> 6);
      scale[j] = d * static_cast<float>(sc);
      minimum[j] = dmin * static_cast<float>(m);
    }
  }
  std::array<float, 8> scale{}, minimum{};
};

/// Q4_K and, with fifth bits in 32 bytes before the nibbles, Q5_K.
template <bool Five>
struct Nibbles {
  static constexpr std::size_t values = block_values, bytes = Five ? 176 : 144;
  static void decode(const std::uint8_t* block, float* out) {
    const SixBitScales of(block);
    const std::uint8_t *fifth = block + 16, *nibbles = block + (Five ? 48 : 16);
    for (std::size_t c = 0; c < 8; ++c) {
      const std::uint8_t* codes = nibbles + c / 2 * 32;
      const int shift = c % 2 == 0 ? 0 : 4, bit = static_cast<int>(c);
      const float scale = of.scale[c], minimum = of.minimum[c];
      for (std::size_t l = 0; l < 32; ++l) {
        const int code = (codes[l] >> shift & 15) + (Five ? 16 * (fifth[l] >> bit & 1) : 0);
        out[32 * c + l] = scale * static_cast<float>(code) - minimum;
      }
    }
  }
  static void half_distances(const std::uint8_t* block, float* out) {
    const SixBitScales of(block);
    for (std::size_t c = 0; c < 8; ++c) blocks::fill_half(of.scale[c], out + 32 * c, 32);
  }
};

struct Q6K {
  static constexpr std::size_t values = block_values, bytes = 210;
  /// Of the 16 values in group g.
  static float scale(const std::uint8_t* block, std::size_t g) {
    return half_at(block + 208) * static_cast<float>(static_cast<std::int8_t>(block[192 + g]));
  }
  static void decode(const std::uint8_t* block, float* out) {
    for (std::size_t g = 0; g < 16; ++g) {
      const std::size_t half = g / 8, quarter = g % 8 / 2, t = g % 2;
      const std::uint8_t* low = block + 64 * half + quarter % 2 * 32 + 16 * t;
      const std::uint8_t* high = block + 128 + 32 * half + 16 * t;
      const int shift = quarter < 2 ? 0 : 4, high_shift = static_cast<int>(2 * quarter);
      const float d = scale(block, g);
      for (std::size_t l = 0; l < 16; ++l)
        out[16 * g + l] =
            d * static_cast<float>((low[l] >> shift & 15) + 16 * (high[l] >> high_shift & 3) - 32);
    }
  }
  static void half_distances(const std::uint8_t* block, float* out) {
    for (std::size_t g = 0; g < 16; ++g) blocks::fill_half(scale(block, g), out + 16 * g, 16);
  }
};

/// F32 scale, bytes, and sums of bytes that only dot products want.
struct Q8K {
  static constexpr std::size_t values = block_values, bytes = 292;
  static void decode(const std::uint8_t* block, float* out) {
    const auto d = blocks::number_at<float>(block);
    for (std::size_t j = 0; j < values; ++j)
      out[j] = d * static_cast<float>(static_cast<std::int8_t>(block[4 + j]));
  }
  static void half_distances(const std::uint8_t* block, float* out) {
    blocks::fill_half(blocks::number_at<float>(block), out, values);
  }
};

constexpr std::array k_codecs{
    blocks::codec_of<Q2K>("q2_k"),
    blocks::codec_of<Q3K>("q3_k"),
    blocks::codec_of<Nibbles<false>>("q4_k"),
    blocks::codec_of<Nibbles<true>>("q5_k"),
    blocks::codec_of<Q6K>("q6_k"),
    blocks::codec_of<Q8K>("q8_k"),
};

}  // namespace

std::span<const BlockCodec> k_blocks() { return k_codecs; }

}  // namespace stemma
