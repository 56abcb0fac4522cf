// Through which tokens are neurons of different models compared?
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace stemma {

/// A token that stands in a vocabulary as a string of bytes: what it adds to a text.
struct Token {
  std::uint32_t row = 0;  ///< of the embedding
  std::string bytes;
};

/// Rows of the embedding that other models, asked later and elsewhere, choose as well. Keys are a pure
/// function of what a token is, so two models of one vocabulary share all of them, and two vocabularies as
/// many as they have tokens in common. The first `by_string` were chosen by their bytes, the others by their
/// row, for models that come without a tokenizer; each part is ascending by key.
struct AnchorTokens {
  std::vector<std::uint64_t> keys;
  std::vector<std::uint32_t> rows;
  std::size_t by_string = 0;

  std::size_t size() const { return keys.size(); }
};

/// Anchors of one model: at most so many, of which so many by row where others were chosen by their bytes.
inline constexpr std::size_t most_anchors = 192, most_by_row = 64;
/// With fewer in common two models are not compared: 32 numbers tell one neuron from thousands of others.
inline constexpr std::size_t fewest_anchors = 32;

/// Chooses anchors among the tokens of a vocabulary and the `rows` rows of an embedding. By their bytes: the
/// 128 with the smallest XXH3-64 of the bytes, among strings of 2 to 10 ASCII letters with or without a space
/// in front, which nearly all vocabularies have; where there are fewer than 64 of these, among all. By row:
/// the 64 (without a vocabulary 128) rows with the smallest XXH3-64 of their number.
AnchorTokens choose_anchors(std::span<const Token> tokens, std::uint64_t rows);

/// Anchors, as indices into their list, that attention is asked about in pairs: the first 64, and of those by
/// row that come behind others the first 32. `by_string` as in AnchorTokens.
std::vector<std::uint32_t> attention_anchors(std::size_t anchors, std::size_t by_string);
inline constexpr std::size_t most_attention_anchors = 96;

}  // namespace stemma
