// Which bytes do tokens of each kind of tokenizer.json stand for, and which files are refused by which rule?
#include "io/formats/vocabulary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/io/formats/fixtures.hpp"

namespace stemma {

void PrintTo(const Token& token, std::ostream* out) { *out << token.row << ":" << token.bytes; }

namespace {

using fixtures::rule_of_refusal;
using ::testing::ElementsAre;
using ::testing::Pair;

std::map<std::uint32_t, std::string> bytes_of(const std::string& json) {
  std::map<std::uint32_t, std::string> out;
  for (const Token& token : parse_vocabulary(json, "tokenizer.json")) out[token.row] = token.bytes;
  return out;
}
std::string vocabulary_refusal(const std::string& json) {
  return rule_of_refusal([&] { parse_vocabulary(json, "tokenizer.json"); });
}
/// A vocabulary without anything around it.
std::string plain(const std::string& entries) {
  return R"({"model": {"type": "BPE", "vocab": {)" + entries + "}}}";
}

TEST(Vocabulary, OfByteLevelBpe) {
  const auto tokens =
      bytes_of(R"({"model": {"type": "BPE", "vocab": {"Ġthe": 2, "!": 0, "Ċ": 1, "Ã©": 3, "Ń": 4}},
                                   "decoder": {"type": "ByteLevel", "trim_offsets": true}})");
  EXPECT_THAT(tokens, ElementsAre(Pair(0, "!"), Pair(1, "\n"), Pair(2, " the"), Pair(3, "\xC3\xA9"),
                                  Pair(4, "\xAD")));
}

TEST(Vocabulary, ByteLevelIsHeardOfInsideASequenceToo) {
  for (
      const char* where :
      {R"("pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split"}, {"type": "ByteLevel"}]})",
       R"("decoder": {"type": "Sequence", "decoders": [{"type": "ByteLevel"}]})"}) {
    const std::string vocabulary = R"("model": {"type": "BPE", "vocab": {"Ġa": 7}})";
    EXPECT_EQ(bytes_of("{" + vocabulary + ", " + where + "}").at(7), " a") << "before";
    EXPECT_EQ(bytes_of("{" + std::string(where) + ", " + vocabulary + "}").at(7), " a") << "behind";
  }
  // Elsewhere the word says nothing: as a post-processor it trims offsets.
  EXPECT_EQ(bytes_of(R"({"post_processor": {"type": "ByteLevel"}, "model": {"vocab": {"Ġa": 7}}})").at(7),
            "Ġa");
}

TEST(Vocabulary, EveryByteHasOneCharacter) {
  // GPT-2's own table, written down once more: printable bytes stand for themselves.
  std::string entries;
  std::uint32_t next = 256;
  const auto utf8 = [](std::uint32_t code) {
    return code < 128
               ? std::string(1, static_cast<char>(code))
               : std::string{static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 63))};
  };
  for (std::uint32_t b = 0; b < 256; ++b) {
    const bool printable = (b > 32 && b < 127) || (b > 160 && b != 173);
    const std::string character = utf8(printable ? b : next++);
    const std::string escape = character == "\"" || character == "\\" ? "\\" : "";
    entries += (b ? ", \"" : "\"") + escape + character + "\": " + std::to_string(b);
  }
  EXPECT_EQ(next, 324U);
  const auto tokens =
      bytes_of(R"({"decoder": {"type": "ByteLevel"}, "model": {"vocab": {)" + entries + "}}}");
  ASSERT_EQ(tokens.size(), 256U);
  for (const auto& [row, bytes] : tokens) EXPECT_EQ(bytes, std::string(1, static_cast<char>(row)));
}

TEST(Vocabulary, ATokenThatIsNoByteLevelTextStaysAsItIs) {
  EXPECT_EQ(bytes_of(R"({"decoder": {"type": "ByteLevel"}, "model": {"vocab": {"Ġ日": 1}}})").at(1), "Ġ日");
}

TEST(Vocabulary, OfSentencePiece) {
  const auto tokens = bytes_of(plain(R"("▁the": 5, "ing": 6, "▁▁": 7, "<0x41>": 8, "<0xfF>": 9, "a▁b": 10,
                                        "<0x0A>": 11, "<0x4>": 12, "<0xG1>": 13)"));
  EXPECT_EQ(tokens.at(5), " the");
  EXPECT_EQ(tokens.at(6), "ing");
  EXPECT_EQ(tokens.at(7), "  ");
  EXPECT_EQ(tokens.at(8), "A");
  EXPECT_EQ(tokens.at(10), "a b");
  EXPECT_EQ(tokens.at(11), "\n");
  EXPECT_EQ(tokens.at(12), "<0x4>");
  EXPECT_EQ(tokens.at(13), "<0xG1>");
}

TEST(Vocabulary, OfUnigramWhereThePositionIsTheRow) {
  const auto tokens = bytes_of(R"({"model": {"type": "Unigram", "unk_id": 0, "vocab":
      [["<unk>", 0], ["▁the", -3.5], ["<0x41>", -1e1], ["s", -4]]}, "added_tokens": [{"id": 0, "content": "<unk>"}]})");
  EXPECT_THAT(tokens, ElementsAre(Pair(1, " the"), Pair(2, "A"), Pair(3, "s")));
}

TEST(Vocabulary, OfWordPiece) {
  const auto tokens = bytes_of(R"({"model": {"type": "WordPiece", "continuing_subword_prefix": "##",
                                   "vocab": {"the": 1, "##ing": 2, "[MASK]": 3}}, "added_tokens": [{"id": 3}]})");
  EXPECT_THAT(tokens, ElementsAre(Pair(1, " the"), Pair(2, "ing")));
}

TEST(Vocabulary, AddedTokensAreLeftOutWhereverTheyStand) {
  const std::string vocabulary = R"("model": {"vocab": {"a": 0, "<s>": 1, "b": 2}})";
  const std::string added = R"("added_tokens": [{"id": 1, "special": true}, {"id": 99, "content": "x"}])";
  for (const std::string& text : {vocabulary + "," + added, added + "," + vocabulary})
    EXPECT_THAT(bytes_of("{" + text + "}"), ElementsAre(Pair(0, "a"), Pair(2, "b")));
}

TEST(Vocabulary, IsAscendingByRowAndMergesAreNoTokens) {
  const auto tokens = parse_vocabulary(R"({"model": {"vocab": {"c": 9, "a": 3, "b": 5},
      "merges": [["a", "b"], ["ab", "c"]], "byte_fallback": true}, "padding": {"length": 7}})",
                                       "tokenizer.json");
  ASSERT_EQ(tokens.size(), 3U);
  EXPECT_EQ(tokens[0].row, 3U);
  EXPECT_EQ(tokens[1].bytes, "b");
  EXPECT_EQ(tokens[2].row, 9U);
}

TEST(Vocabulary, RefusesWhatIsNone) {
  for (const char* json :
       {"{}", "[]", "5", R"({"model": {}})", R"({"model": {"vocab": {}}})", R"({"model": {"vocab": []}})",
        R"({"vocab": {"a": 1}})", R"({"model": {"vocab": {"a": "1"}}})", R"({"other": {"vocab": {"a": 1}}})",
        R"({"model": [{"vocab": {"a": 1}}]})", R"({"model": {"vocab": {"a": -1}}})",
        R"({"model": {"vocab": {"a": 1.0}}})", R"({"model": {"vocab": {"a": true}}})"})
    EXPECT_EQ(vocabulary_refusal(json), "vocabulary.malformed") << json;
}

TEST(Vocabulary, RowsBeyondTheLargestAreRefused) {
  EXPECT_EQ(bytes_of(plain(R"("a": 2147483647)")).size(), 1U);
  EXPECT_EQ(vocabulary_refusal(plain(R"("a": 2147483648)")), "vocabulary.malformed");
  EXPECT_EQ(vocabulary_refusal(plain(R"("a": 4294967297)")), "vocabulary.malformed") << "not row 1";
  EXPECT_EQ(vocabulary_refusal(plain(R"("a": 18446744073709551616)")), "vocabulary.malformed");
  EXPECT_EQ(vocabulary_refusal(plain(R"("a": 1e400)")), "json.number_range");
  // An added token of any number only leaves out the token of that number.
  EXPECT_EQ(bytes_of(R"({"added_tokens": [{"id": 4294967296}], "model": {"vocab": {"a": 0}}})").size(), 1U);
}

TEST(Vocabulary, HostileTextIsRefusedByItsRule) {
  const std::string deep(100'000, '[');
  EXPECT_EQ(vocabulary_refusal(R"({"model": {"vocab": )" + deep + std::string(100'000, ']') + "}}"),
            "json.too_deep");
  EXPECT_EQ(vocabulary_refusal(deep), "json.syntax");
  EXPECT_EQ(vocabulary_refusal(plain(R"("a": 1, "a": 2)")), "json.duplicate_key");
  EXPECT_EQ(vocabulary_refusal(R"({"model": {"vocab": {"a": 1}}, "model": {"vocab": {"b": 1}}})"),
            "json.duplicate_key");
  EXPECT_EQ(vocabulary_refusal(plain(R"("a": 1,)")), "json.syntax");
  EXPECT_EQ(vocabulary_refusal(""), "json.syntax");
  EXPECT_EQ(vocabulary_refusal("\xEF\xBB\xBF" + plain(R"("a": 1)")), "json.byte_order_mark");
  EXPECT_EQ(vocabulary_refusal(plain("\"\xFF\": 1")), "json.not_utf8");
}

TEST(Vocabulary, ARefusalNamesTheFile) {
  try {
    parse_vocabulary("{", "tokenizer.json");
    FAIL();
  } catch (const InvalidInput& refused) {
    EXPECT_EQ(refused.finding().file, "tokenizer.json");
  }
}

}  // namespace
}  // namespace stemma
