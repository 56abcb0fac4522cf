// Plain loops; rows are turned in blocks whose lines stay in the cache.
#include "io/formats/packed_codes.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace stemma {
namespace {

std::uint32_t word_at(std::span<const std::byte> words, std::uint64_t index) {
  std::uint32_t word = 0;
  std::memcpy(&word, words.data() + index * sizeof word, sizeof word);
  return word;
}

void unpack_straddling(unsigned bits, std::span<const std::byte> bytes, std::uint64_t first,
                       std::span<std::uint8_t> codes) {
  const unsigned mask = (1U << bits) - 1;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::uint64_t bit = (first + i) * bits, byte = bit / 8;
    unsigned both = std::to_integer<unsigned>(byte < bytes.size() ? bytes[byte] : std::byte{0});
    if (byte + 1 < bytes.size()) both |= std::to_integer<unsigned>(bytes[byte + 1]) << 8;
    codes[i] = static_cast<std::uint8_t>(both >> bit % 8 & mask);
  }
}

/// Two codes a byte; `Low` is the shift of the first one.
template <unsigned Low>
void unpack_halves(std::span<const std::byte> bytes, std::uint64_t first, std::span<std::uint8_t> codes) {
  const auto one = [&](std::uint64_t index) -> std::uint8_t {
    const unsigned byte = index / 2 < bytes.size() ? std::to_integer<unsigned>(bytes[index / 2]) : 0U;
    return static_cast<std::uint8_t>(byte >> (index % 2 == 0 ? Low : 4 - Low) & 15U);
  };
  std::size_t i = 0;
  if (first % 2 != 0 && i < codes.size()) codes[i++] = one(first);
  const std::uint64_t begin = (first + i) / 2;
  const std::size_t whole =
      begin < bytes.size() ? std::min<std::uint64_t>((codes.size() - i) / 2, bytes.size() - begin) : 0;
  for (std::size_t k = 0; k < whole; ++k, i += 2) {
    const auto byte = std::to_integer<unsigned>(bytes[begin + k]);
    codes[i] = static_cast<std::uint8_t>(byte >> Low & 15U);
    codes[i + 1] = static_cast<std::uint8_t>(byte >> (4 - Low) & 15U);
  }
  for (; i < codes.size(); ++i) codes[i] = one(first + i);
}

}  // namespace

void unpack(unsigned bits, std::span<const std::byte> bytes, std::uint64_t first,
            std::span<std::uint8_t> codes) {
  if (bits == 8 && first + codes.size() <= bytes.size()) {
    if (!codes.empty()) std::memcpy(codes.data(), bytes.data() + first, codes.size());
    return;
  }
  if (bits == 4) return unpack_halves<0>(bytes, first, codes);
  unpack_straddling(bits, bytes, first, codes);
}

void unpack_high_first(std::span<const std::byte> bytes, std::uint64_t first, std::span<std::uint8_t> codes) {
  unpack_halves<4>(bytes, first, codes);
}

std::vector<std::byte> transposed_words(std::span<const std::byte> words, std::uint64_t rows,
                                        std::uint64_t cols) {
  constexpr std::uint64_t block = 16, bytes = sizeof(std::uint32_t);
  std::vector<std::byte> turned(words.size());
  for (std::uint64_t c0 = 0; c0 < cols; c0 += block)
    for (std::uint64_t r = 0; r < rows; ++r)
      for (std::uint64_t c = c0; c < std::min(c0 + block, cols); ++c)
        std::memcpy(turned.data() + (c * rows + r) * bytes, words.data() + (r * cols + c) * bytes, bytes);
  return turned;
}

namespace {

/// What rows of codes become while they are turned: row k of a tile holds the codes of output k, of 16
/// inputs.
using Tile = std::array<std::array<std::uint8_t, 8>, 8>;

/// `from` is the word of the first of 16 inputs, the others follow `width` words apart.
Tile turned_tile(std::span<const std::byte> words, std::uint64_t from, std::uint64_t width,
                 std::span<const unsigned, 8> order) {
  constexpr std::uint32_t low = 0x0F0F0F0FU;
  Tile tile;
  for (std::size_t pair = 0; pair < 8; ++pair) {
    const std::uint32_t even = word_at(words, from + 2 * pair * width),
                        odd = word_at(words, from + (2 * pair + 1) * width);
    // Bytes of both inputs' codes: those of even and those of odd nibbles.
    const std::array<std::uint32_t, 2> both = {(even & low) | (odd & low) << 4,
                                               (even >> 4 & low) | (odd & ~low)};
    for (std::size_t k = 0; k < 8; ++k)
      tile[k][pair] = static_cast<std::uint8_t>(both[order[k] % 2] >> 8 * (order[k] / 2));
  }
  return tile;
}

}  // namespace

std::vector<std::byte> transposed_nibbles(std::span<const std::byte> words, std::uint64_t rows,
                                          std::uint64_t cols, std::span<const unsigned, 8> order) {
  constexpr std::uint64_t block = 16;  // words of one input: a line of the cache
  const std::uint64_t width = rows / 8, row_bytes = (cols + 1) / 2, in_tiles = cols - cols % 16;
  std::vector<std::byte> turned(rows * row_bytes);
  for (std::uint64_t w0 = 0; w0 < width; w0 += block) {
    const std::uint64_t w1 = std::min(w0 + block, width);
    for (std::uint64_t c = 0; c < in_tiles; c += 16)
      for (std::uint64_t w = w0; w < w1; ++w) {
        const Tile tile = turned_tile(words, c * width + w, width, order);
        std::byte* to = turned.data() + w * 8 * row_bytes + c / 2;
        for (const auto& row : tile) {
          std::memcpy(to, row.data(), row.size());
          to += row_bytes;
        }
      }
    for (std::uint64_t c = in_tiles; c < cols; c += 2)
      for (std::uint64_t w = w0; w < w1; ++w) {
        const std::uint32_t even = word_at(words, c * width + w);
        const std::uint32_t odd = c + 1 < cols ? word_at(words, (c + 1) * width + w) : 0;
        std::byte* to = turned.data() + w * 8 * row_bytes + c / 2;
        for (unsigned k = 0; k < 8; ++k, to += row_bytes)
          *to = static_cast<std::byte>((even >> 4 * order[k] & 15U) | (odd >> 4 * order[k] & 15U) << 4);
      }
  }
  return turned;
}

}  // namespace stemma
