// Nibbles that stand for sixteen values, nearer to each other around zero.
#include <algorithm>
#include <array>
#include <cmath>

#include "io/formats/block_codec.hpp"

namespace stemma {
namespace {

using blocks::half_at;

constexpr std::array<float, 16> values_of_codes{-127, -104, -83, -65, -49, -35, -22, -10,
                                                1,    13,   25,  38,  53,  69,  89,  113};

constexpr std::array<float, 16> halves_of_codes = [] {
  std::array<float, 16> halves{};
  for (std::size_t i = 0; i < 16; ++i) {
    const float below = i > 0 ? values_of_codes[i] - values_of_codes[i - 1] : 0;
    const float above = i < 15 ? values_of_codes[i + 1] - values_of_codes[i] : 0;
    halves[i] = std::max(below, above) / 2;
  }
  return halves;
}();

/// 32 values from 16 bytes; the low nibbles come first.
void look_up(const std::array<float, 16>& table, const std::uint8_t* codes, float scale, float* out) {
  for (std::size_t j = 0; j < 16; ++j) {
    out[j] = scale * table[codes[j] & 15];
    out[j + 16] = scale * table[codes[j] >> 4];
  }
}

float magnitude(float scale) { return std::fabs(scale); }

struct NonLinear {
  static constexpr std::size_t values = 32, bytes = 18;
  static void decode(const std::uint8_t* block, float* out) {
    look_up(values_of_codes, block + 2, half_at(block), out);
  }
  static void half_distances(const std::uint8_t* block, float* out) {
    look_up(halves_of_codes, block + 2, magnitude(half_at(block)), out);
  }
};

/// Eight runs of 32 values, each with six bits of scale.
struct NonLinearK {
  static constexpr std::size_t values = 256, bytes = 136;
  static float scale(const std::uint8_t* block, std::size_t b) {
    const int high = blocks::number_at<std::uint16_t>(block + 2) >> (2 * b) & 3;
    const int low = block[4 + b / 2] >> (4 * (b % 2)) & 15;
    return half_at(block) * static_cast<float>(low + 16 * high - 32);
  }
  static void decode(const std::uint8_t* block, float* out) {
    for (std::size_t b = 0; b < 8; ++b)
      look_up(values_of_codes, block + 8 + 16 * b, scale(block, b), out + 32 * b);
  }
  static void half_distances(const std::uint8_t* block, float* out) {
    for (std::size_t b = 0; b < 8; ++b)
      look_up(halves_of_codes, block + 8 + 16 * b, magnitude(scale(block, b)), out + 32 * b);
  }
};

constexpr std::array iq4_codecs{blocks::codec_of<NonLinear>("iq4_nl"),
                                blocks::codec_of<NonLinearK>("iq4_xs")};

}  // namespace

std::span<const BlockCodec> iq4_blocks() { return iq4_codecs; }

}  // namespace stemma
