// Which tokens are chosen, and how many of them does another model choose as well?
#include "io/model/anchor_tokens.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

namespace stemma {
namespace {

/// "aaaa", "baaa", ...: word number n, four letters.
std::string word(std::uint32_t n) {
  std::string out;
  for (int i = 0; i < 4; ++i, n /= 26) out += static_cast<char>('a' + n % 26);
  return out;
}

std::vector<Token> words(std::uint32_t first, std::uint32_t last) {
  std::vector<Token> out;
  for (std::uint32_t n = first; n < last; ++n) out.push_back({n, word(n)});
  return out;
}

std::set<std::uint64_t> keys_by_string(const AnchorTokens& anchors) {
  return {anchors.keys.begin(), anchors.keys.begin() + static_cast<std::ptrdiff_t>(anchors.by_string)};
}

std::size_t common(const AnchorTokens& a, const AnchorTokens& b) {
  const auto of_a = keys_by_string(a), of_b = keys_by_string(b);
  return static_cast<std::size_t>(std::ranges::count_if(of_a, [&](auto key) { return of_b.contains(key); }));
}

std::uint64_t key_of(const std::string& bytes) {
  const std::vector<Token> one = {{0, bytes}};
  return choose_anchors(one, 1).keys.front();
}

TEST(AnchorTokens, KeysAreThoseOfXxhsum) {
  // printf ' the' | xxhsum -H3
  EXPECT_EQ(key_of(" the"), 0x9080330e9062fab0U);
  EXPECT_EQ(key_of("the"), 0xcb1283631cf33d7dU);
  EXPECT_EQ(key_of("A"), 0xd0d496e05c553485U);
  EXPECT_EQ(key_of(" of"), 0x1a855cbd9217b435U);
}

TEST(AnchorTokens, WordsArePreferred) {
  std::vector<Token> tokens = words(0, 500);
  std::uint32_t row = 500;
  for (const char* other : {"a", " a", "1234", "the.", "  the", "abcdefghijk", "\xC3\xA9\xC3\xA9", "\n\n"})
    for (int i = 0; i < 40; ++i)
      tokens.push_back({row++, other + std::string(static_cast<std::size_t>(i), '!')});
  const AnchorTokens anchors = choose_anchors(tokens, row);
  EXPECT_EQ(anchors.by_string, 128U);
  EXPECT_EQ(anchors.size(), 192U);
  for (std::size_t i = 0; i < anchors.by_string; ++i) EXPECT_LT(anchors.rows[i], 500U);
}

TEST(AnchorTokens, TheEdgesOfAWord) {
  // 64 words are enough, so whatever else is chosen is one.
  const auto chosen = [](const std::string& bytes) {
    std::vector<Token> tokens = words(0, 64);
    tokens.push_back({64, bytes});
    const AnchorTokens anchors = choose_anchors(tokens, 65);
    return anchors.by_string == 65;
  };
  for (const char* yes : {"ab", " ab", "abcdefghij", " abcdefghij", "Zz"}) EXPECT_TRUE(chosen(yes)) << yes;
  for (const char* no : {"a", " a", "abcdefghijk", "  ab", "a b", "ab ", "a1", "\tab", " ", "a\xC3\xA9"})
    EXPECT_FALSE(chosen(no)) << no;
}

TEST(AnchorTokens, WhereWordsAreFewAllAreChosen) {
  std::vector<Token> tokens = words(0, 63);
  for (std::uint32_t i = 63; i < 200; ++i) tokens.push_back({i, std::to_string(i)});
  const AnchorTokens few = choose_anchors(tokens, 200);
  EXPECT_EQ(few.by_string, 128U);
  EXPECT_TRUE(std::any_of(few.rows.begin(), few.rows.begin() + 128, [](auto row) { return row >= 63; }));
  tokens.push_back({200, "enough"});
  EXPECT_EQ(choose_anchors(tokens, 201).by_string, 64U);
}

TEST(AnchorTokens, TheSmallestKeysAscendAndKnowNothingOfOrderOrRows) {
  std::vector<Token> tokens = words(0, 3000);
  const AnchorTokens anchors = choose_anchors(tokens, 3000);
  const auto middle = anchors.keys.begin() + 128;
  EXPECT_TRUE(std::is_sorted(anchors.keys.begin(), middle));
  EXPECT_TRUE(std::is_sorted(middle, anchors.keys.end()));
  std::vector<std::uint64_t> all;
  for (const Token& token : tokens) all.push_back(key_of(token.bytes));
  std::ranges::sort(all);
  EXPECT_TRUE(std::equal(anchors.keys.begin(), middle, all.begin()));
  for (std::size_t i = 0; i < 128; ++i) EXPECT_EQ(key_of(tokens[anchors.rows[i]].bytes), anchors.keys[i]);
  std::ranges::reverse(tokens);
  for (Token& token : tokens) token.row = 2999 - token.row;
  const AnchorTokens turned = choose_anchors(tokens, 3000);
  EXPECT_EQ(turned.keys, anchors.keys);
  for (std::size_t i = 0; i < 128; ++i) EXPECT_EQ(turned.rows[i], 2999 - anchors.rows[i]);
}

TEST(AnchorTokens, OverlappingVocabulariesShareTheirPart) {
  // Of the 128 smallest of the union of two sets, those in both are about 128 |A n B| / max(|A|, |B|).
  for (const auto& [overlap, low, high] :
       {std::tuple{4000U, 128, 128}, {3000U, 80, 112}, {2000U, 46, 82}, {400U, 4, 24}, {0U, 0, 0}}) {
    const AnchorTokens a = choose_anchors(words(0, 4000), 4000);
    const auto other = words(4000 - overlap, 8000 - overlap);
    const auto shared = static_cast<int>(common(a, choose_anchors(other, 8000)));
    EXPECT_GE(shared, low) << overlap;
    EXPECT_LE(shared, high) << overlap;
  }
}

TEST(AnchorTokens, EqualBytesCountOnceAndRowsBeyondTheEmbeddingNever) {
  std::vector<Token> tokens = words(0, 100);
  for (std::uint32_t i = 0; i < 100; ++i) tokens.push_back({100 + i, word(i)});
  const AnchorTokens anchors = choose_anchors(tokens, 200);
  EXPECT_EQ(anchors.by_string, 100U);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_LT(anchors.rows[i], 100U) << "the first row";
  const AnchorTokens cut = choose_anchors(tokens, 70);
  EXPECT_EQ(cut.by_string, 70U);
  for (const std::uint32_t row : cut.rows) EXPECT_LT(row, 70U);
  const std::vector<Token> nothing = {{0, ""}};
  EXPECT_EQ(choose_anchors(nothing, 10).by_string, 0U);
}

TEST(AnchorTokens, ByRow) {
  const AnchorTokens small = choose_anchors({}, 50), large = choose_anchors({}, 256),
                     wide = choose_anchors({}, 300);
  EXPECT_EQ(small.by_string, 0U);
  EXPECT_EQ(small.size(), 50U);
  EXPECT_EQ(large.size(), 128U);
  EXPECT_TRUE(std::ranges::is_sorted(large.keys));
  EXPECT_EQ(choose_anchors({}, 0).size(), 0U);
  // The keys of a row are the same in every vocabulary, and none is that of a string of the same bytes.
  std::set<std::uint64_t> of_large(large.keys.begin(), large.keys.end());
  const auto shared = std::ranges::count_if(wide.keys, [&](auto key) { return of_large.contains(key); });
  EXPECT_GE(shared, 128 * 200 / 300);
  EXPECT_FALSE(of_large.contains(key_of(std::string(4, '\0'))));
  // Of a million rows the smallest, too: whichever part of them is asked alone finds no smaller one.
  const AnchorTokens million = choose_anchors({}, 1'000'000);
  ASSERT_EQ(million.size(), 128U);
  EXPECT_TRUE(std::ranges::is_sorted(million.keys));
  EXPECT_GT(*std::ranges::max_element(million.rows), 500'000U);
  for (const std::uint64_t part : {300U, 4095U, 4096U, 4097U, 50'000U}) {
    const AnchorTokens some = choose_anchors({}, part);
    std::vector<std::uint32_t> wanted, found;
    for (std::size_t i = 0; i < some.size(); ++i)
      if (some.keys[i] <= million.keys.back()) wanted.push_back(some.rows[i]);
    for (const std::uint32_t row : million.rows)
      if (row < part) found.push_back(row);
    EXPECT_EQ(found, wanted) << part;
  }
  // Beside strings the 64 first of them.
  const AnchorTokens both = choose_anchors(words(0, 256), 256);
  ASSERT_EQ(both.size(), 192U);
  EXPECT_TRUE(std::equal(both.keys.begin() + 128, both.keys.end(), large.keys.begin()));
  EXPECT_TRUE(std::equal(both.rows.begin() + 128, both.rows.end(), large.rows.begin()));
}

TEST(AttentionAnchors, TheFirstOfEachPart) {
  const auto range = [](std::uint32_t first, std::uint32_t count) {
    std::vector<std::uint32_t> out(count);
    std::iota(out.begin(), out.end(), first);
    return out;
  };
  const auto both = [](std::vector<std::uint32_t> a, const std::vector<std::uint32_t>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  };
  EXPECT_EQ(attention_anchors(192, 128), both(range(0, 64), range(128, 32)));
  EXPECT_EQ(attention_anchors(128, 0), range(0, 64));
  EXPECT_EQ(attention_anchors(20, 0), range(0, 20));
  EXPECT_EQ(attention_anchors(50, 40), range(0, 50));
  EXPECT_EQ(attention_anchors(104, 40), both(range(0, 40), range(40, 32)));
  EXPECT_TRUE(attention_anchors(0, 0).empty());
  EXPECT_LE(attention_anchors(192, 128).size(), most_attention_anchors);
}

}  // namespace
}  // namespace stemma
