// Are codes of any width found wherever a run begins, and do turned matrices hold the same codes?
#include "io/formats/packed_codes.hpp"

#include <gtest/gtest.h>

#include "tests/io/formats/quantised_fixture.hpp"

namespace stemma {
namespace {

using fixtures::put_bits;
using fixtures::random_codes;
using Sizes = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

std::span<const std::byte> as_bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST(PackedCodes, EveryRunOfEveryWidth) {
  std::mt19937 random(1);
  for (unsigned bits = 1; bits <= 8; ++bits) {
    const auto codes = random_codes(random, 41, bits);
    std::string string((41 * bits + 7) / 8, '\0');
    for (std::size_t i = 0; i < codes.size(); ++i) put_bits(string, i * bits, bits, codes[i]);
    for (std::size_t first = 0; first <= 41; ++first)
      for (std::size_t count = 0; count <= 41 - first; ++count) {
        std::vector<std::uint8_t> found(count);
        unpack(bits, as_bytes(string), first, found);
        for (std::size_t i = 0; i < count; ++i)
          ASSERT_EQ(found[i], codes[first + i]) << bits << " bits, " << first << " + " << i;
      }
  }
}

TEST(PackedCodes, HighHalfFirst) {
  const std::string bytes("\x1F\xA3", 2);
  for (std::size_t first = 0; first < 4; ++first) {
    std::vector<std::uint8_t> found(4 - first);
    unpack_high_first(as_bytes(bytes), first, found);
    const std::vector<std::uint8_t> all{1, 15, 10, 3};
    EXPECT_TRUE(std::ranges::equal(found, std::span(all).subspan(first)));
  }
}

TEST(PackedCodes, BehindTheEndThereIsZero) {
  const std::string bytes("\xFF", 1);
  std::vector<std::uint8_t> found(4, 7);
  unpack(4, as_bytes(bytes), 1, found);
  EXPECT_EQ(found, (std::vector<std::uint8_t>{15, 0, 0, 0}));
  unpack(3, as_bytes(bytes), 1, found);
  EXPECT_EQ(found, (std::vector<std::uint8_t>{7, 3, 0, 0}));
}

TEST(PackedCodes, TurnedWords) {
  for (const auto& [rows, cols] : Sizes{{1, 1}, {5, 37}, {33, 16}}) {
    std::vector<std::uint32_t> words(rows * cols), turned(rows * cols);
    for (std::uint32_t i = 0; i < words.size(); ++i) words[i] = i * 2654435761U;
    const auto bytes = transposed_words(std::as_bytes(std::span(words)), rows, cols);
    ASSERT_EQ(bytes.size(), words.size() * 4);
    std::memcpy(turned.data(), bytes.data(), bytes.size());
    for (std::uint32_t r = 0; r < rows; ++r)
      for (std::uint32_t c = 0; c < cols; ++c) EXPECT_EQ(turned[c * rows + r], words[r * cols + c]);
  }
}

TEST(PackedCodes, TurnedNibbles) {
  constexpr std::array<unsigned, 8> order{0, 4, 1, 5, 2, 6, 3, 7};
  std::mt19937 random(2);
  for (const auto& [rows, cols] : Sizes{{8, 1}, {48, 7}, {8, 6}}) {
    std::vector<std::uint32_t> words(rows / 8 * cols);
    for (std::uint32_t& word : words) word = static_cast<std::uint32_t>(random());
    const auto bytes = transposed_nibbles(std::as_bytes(std::span(words)), rows, cols, order);
    const std::size_t row_bytes = (cols + 1) / 2;
    ASSERT_EQ(bytes.size(), rows * row_bytes);
    for (std::uint32_t r = 0; r < rows; ++r)
      for (std::uint32_t c = 0; c < cols; ++c) {
        const unsigned expected = words[c * (rows / 8) + r / 8] >> 4 * order[r % 8] & 15U;
        const auto byte = std::to_integer<unsigned>(bytes[r * row_bytes + c / 2]);
        EXPECT_EQ(c % 2 == 0 ? byte & 15U : byte >> 4, expected) << r << " " << c;
      }
  }
}

}  // namespace
}  // namespace stemma
