// The smallest hashes win, so that no list of tokens has to be agreed upon.
#include "io/model/anchor_tokens.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace stemma {
namespace {

constexpr std::size_t fewest_words = 64;
constexpr XXH64_hash_t seed_of_rows = 0x726f77;  // keys of rows and of bytes are different numbers

using Choice = std::vector<std::pair<std::uint64_t, std::uint32_t>>;  // key and row

bool is_word(std::string_view bytes) {
  if (bytes.starts_with(' ')) bytes.remove_prefix(1);
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return bytes.size() >= 2 && bytes.size() <= 10 && std::ranges::all_of(bytes, letter);
}

std::uint64_t key_of_row(std::uint32_t row) {
  std::array<std::uint8_t, 4> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(row >> (8 * i));
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed_of_rows);
}

/// Only the `count` smallest, in any order.
void keep_smallest(Choice& choice, std::size_t count) {
  if (choice.size() <= count) return;
  std::ranges::nth_element(choice, choice.begin() + static_cast<std::ptrdiff_t>(count));
  choice.resize(count);
}

/// The `count` smallest keys, each once: of several tokens with the same bytes the first row.
void add_smallest(Choice choice, std::size_t count, AnchorTokens& anchors) {
  std::ranges::sort(choice);
  const auto same_key = [](const auto& a, const auto& b) { return a.first == b.first; };
  choice.erase(std::unique(choice.begin(), choice.end(), same_key), choice.end());
  choice.resize(std::min(choice.size(), count));
  for (const auto& [key, row] : choice) {
    anchors.keys.push_back(key);
    anchors.rows.push_back(row);
  }
}

}  // namespace

AnchorTokens choose_anchors(std::span<const Token> tokens, std::uint64_t rows) {
  Choice words, others;
  for (const Token& token : tokens) {
    if (token.row >= rows || token.bytes.empty()) continue;
    const std::uint64_t key = XXH3_64bits(token.bytes.data(), token.bytes.size());
    (is_word(token.bytes) ? words : others).emplace_back(key, token.row);
  }
  if (words.size() < fewest_words) words.insert(words.end(), others.begin(), others.end());
  AnchorTokens anchors;
  const std::size_t most_by_string = most_anchors - most_by_row;
  add_smallest(std::move(words), most_by_string, anchors);
  anchors.by_string = anchors.size();
  const std::size_t rows_wanted = anchors.by_string == 0 ? most_by_string : most_by_row;
  Choice by_row;  // stays small, whatever number of rows a stranger's file states
  for (std::uint64_t row = 0; row < std::min<std::uint64_t>(rows, std::uint64_t{1} << 32); ++row) {
    by_row.emplace_back(key_of_row(static_cast<std::uint32_t>(row)), static_cast<std::uint32_t>(row));
    if (by_row.size() == 4096) keep_smallest(by_row, rows_wanted);
  }
  add_smallest(std::move(by_row), rows_wanted, anchors);
  return anchors;
}

std::vector<std::uint32_t> attention_anchors(std::size_t anchors, std::size_t by_string) {
  constexpr std::size_t most_by_both = 32;
  std::vector<std::uint32_t> chosen;
  const auto add = [&](std::size_t first, std::size_t last) {
    for (; first < last; ++first) chosen.push_back(static_cast<std::uint32_t>(first));
  };
  const std::size_t most = most_attention_anchors - most_by_both;
  add(0, std::min(most, by_string));
  const std::size_t by_row = anchors - std::min(anchors, by_string);
  add(by_string, by_string + std::min(by_row, by_string == 0 ? most : most_by_both));
  return chosen;
}

}  // namespace stemma
