// How do codes of a few bits lie in bytes and words?
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace stemma {

/// Codes [first, first + codes.size()) of a dense string of codes of 1 to 8 bits, the first one in the lowest
/// bits of the first byte; a code may straddle bytes. Codes behind the end of `bytes` have bits of value 0.
void unpack(unsigned bits, std::span<const std::byte> bytes, std::uint64_t first,
            std::span<std::uint8_t> codes);

/// The same for four bits with the first of two codes in the high half of its byte.
void unpack_high_first(std::span<const std::byte> bytes, std::uint64_t first, std::span<std::uint8_t> codes);

/// A matrix of 32-bit words with rows and columns exchanged.
std::vector<std::byte> transposed_words(std::span<const std::byte> words, std::uint64_t rows,
                                        std::uint64_t cols);

/// Rows of four-bit codes from rows and columns exchanged: `words` is (cols, rows / 8), and code 8 w + k of
/// an input row lies in bits [4 order[k], 4 order[k] + 4) of word w. Each row of the result has
/// (cols + 1) / 2 bytes, the first code in the low half.
std::vector<std::byte> transposed_nibbles(std::span<const std::byte> words, std::uint64_t rows,
                                          std::uint64_t cols, std::span<const unsigned, 8> order);

}  // namespace stemma
