// Four-bit floats with a scale that is a small float too, and codes of one bit, two bits and three states.
#include <array>
#include <limits>

#include "io/formats/block_codec.hpp"
#include "io/model/small_float.hpp"

namespace stemma {
namespace {

using blocks::half_at;

/// E2M1: sign, two bits of exponent, one of mantissa.
constexpr std::array<float, 16> e2m1{0.F,  .5F,  1.F,  1.5F,  2.F,  3.F,  4.F,  6.F,
                                     -0.F, -.5F, -1.F, -1.5F, -2.F, -3.F, -4.F, -6.F};
constexpr std::array<float, 16> e2m1_halves{.25F, .25F, .25F, .25F, .5F, .5F, 1.F, 1.F,
                                            .25F, .25F, .25F, .25F, .5F, .5F, 1.F, 1.F};

/// `count` bytes; the low nibbles are the first `count` values.
void look_up(const std::array<float, 16>& table, const std::uint8_t* codes, std::size_t count, float scale,
             float* out) {
  for (std::size_t j = 0; j < count; ++j) {
    out[j] = scale * table[codes[j] & 15];
    out[j + count] = scale * table[codes[j] >> 4];
  }
}

struct MxFp4 {
  static constexpr std::size_t values = 32, bytes = 17;
  /// 2^(code - 127); 255 is not a number, and the smallest one is subnormal.
  static float scale(std::uint8_t code) {
    if (code == 255) return std::numeric_limits<float>::quiet_NaN();
    return std::bit_cast<float>(code == 0 ? 0x00400000U : std::uint32_t{code} << 23);
  }
  static void decode(const std::uint8_t* block, float* out) {
    look_up(e2m1, block + 1, 16, scale(*block), out);
  }
  static void half_distances(const std::uint8_t* block, float* out) {
    look_up(e2m1_halves, block + 1, 16, scale(*block), out);
  }
};

/// Without the factor of the whole tensor, which lies elsewhere.
struct NvFp4 {
  static constexpr std::size_t values = 64, bytes = 36;
  /// E4M3 without sign; the last code counts as zero, codes with a sign are not numbers.
  static float scale(std::uint8_t code) {
    static const auto table = [] {
      std::array<float, 256> scales{};
      scales.fill(std::numeric_limits<float>::quiet_NaN());
      for (unsigned c = 0; c < 0x7F; ++c) scales[c] = static_cast<float>(stemma::decode(e4m3_format, c));
      scales[0x7F] = 0;
      return scales;
    }();
    return table[code];
  }
  static void decode(const std::uint8_t* block, float* out) {
    for (std::size_t b = 0; b < 4; ++b) look_up(e2m1, block + 4 + 8 * b, 8, scale(block[b]), out + 16 * b);
  }
  static void half_distances(const std::uint8_t* block, float* out) {
    for (std::size_t b = 0; b < 4; ++b)
      look_up(e2m1_halves, block + 4 + 8 * b, 8, scale(block[b]), out + 16 * b);
  }
};

/// Five states of three in a byte, as digits of a fraction: the n-th is what n multiplications by three push
/// out at the top.
struct Ternary1 {
  static constexpr std::size_t values = 256, bytes = 54;
  static constexpr std::array<unsigned, 5> powers{1, 3, 9, 27, 81};
  static float* digits(const std::uint8_t* codes, std::size_t count, std::size_t of_a_byte, float d,
                       float* out) {
    for (std::size_t n = 0; n < of_a_byte; ++n)
      for (std::size_t j = 0; j < count; ++j) {
        const unsigned shifted = codes[j] * powers[n] & 255U;
        *out++ = d * static_cast<float>(static_cast<int>(shifted * 3 >> 8) - 1);
      }
    return out;
  }
  static void decode(const std::uint8_t* block, float* out) {
    const float d = half_at(block + 52);
    out = digits(block, 32, 5, d, out);
    out = digits(block + 32, 16, 5, d, out);
    digits(block + 48, 4, 4, d, out);
  }
  static void half_distances(const std::uint8_t* block, float* out) {
    blocks::fill_half(half_at(block + 52), out, values);
  }
};

struct Ternary2 {
  static constexpr std::size_t values = 256, bytes = 66;
  static void decode(const std::uint8_t* block, float* out) {
    const float d = half_at(block + 64);
    for (std::size_t run = 0; run < 8; ++run)
      for (std::size_t m = 0; m < 32; ++m)
        out[32 * run + m] =
            d * static_cast<float>((block[run / 4 * 32 + m] >> static_cast<int>(run % 4 * 2) & 3) - 1);
  }
  static void half_distances(const std::uint8_t* block, float* out) {
    blocks::fill_half(half_at(block + 64), out, values);
  }
};

struct OneBit {
  static constexpr std::size_t values = 128, bytes = 18;
  static void decode(const std::uint8_t* block, float* out) {
    const float d = half_at(block);
    for (std::size_t j = 0; j < values; ++j) out[j] = (block[2 + j / 8] >> j % 8 & 1) != 0 ? d : -d;
  }
  static void half_distances(const std::uint8_t* block, float* out) {
    blocks::fill_half(2 * half_at(block), out, values);
  }
};

struct TwoBits {
  static constexpr std::size_t values = 64, bytes = 18;
  static void decode(const std::uint8_t* block, float* out) {
    const float d = half_at(block);
    for (std::size_t j = 0; j < values; ++j)
      out[j] = d * static_cast<float>((block[2 + j / 4] >> j % 4 * 2 & 3) - 1);
  }
  static void half_distances(const std::uint8_t* block, float* out) {
    blocks::fill_half(half_at(block), out, values);
  }
};

constexpr std::array micro_codecs{
    blocks::codec_of<MxFp4>("mxfp4"),    blocks::codec_of<NvFp4>("nvfp4"),
    blocks::codec_of<Ternary1>("tq1_0"), blocks::codec_of<Ternary2>("tq2_0"),
    blocks::codec_of<OneBit>("q1_0"),    blocks::codec_of<TwoBits>("q2_0"),
};

}  // namespace

std::span<const BlockCodec> micro_blocks() { return micro_codecs; }

}  // namespace stemma
