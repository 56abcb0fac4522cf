// Is every finding one printable line, whatever a stranger wrote into its fields?
#include "io/model/finding.hpp"

#include <gtest/gtest.h>

#include "io/model/utf8.hpp"

namespace stemma {
namespace {

using namespace std::string_literals;

TEST(Printable, LeavesReadableTextAlone) {
  EXPECT_EQ(printable("model.layers.3 \"q\" é 漢 😀"), "model.layers.3 \"q\" é 漢 😀");
}

TEST(Printable, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(printable("a\0b\x1B[31m\n\x7F"s), "a\\x00b\\x1B[31m\\x0A\\x7F");
  EXPECT_EQ(printable("a\xC2\x85z"), "a\\u{0085}z");
  EXPECT_EQ(printable("\xE2\x80\xAE"), "\\u{202E}");
  EXPECT_EQ(printable("\xE2\x81\xA6\xD8\x9C"), "\\u{2066}\\u{061C}");
  EXPECT_EQ(printable("\xE2\x80\xA8"), "\\u{2028}");
}

TEST(Printable, EscapesInvalidUtf8ByteByByte) {
  EXPECT_EQ(printable("\xFF"), "\\xFF");
  EXPECT_EQ(printable("\xC0\xAF"), "\\xC0\\xAF");
  EXPECT_EQ(printable("\xED\xA0\x80"), "\\xED\\xA0\\x80");
  EXPECT_EQ(printable("\xE2\x82"), "\\xE2\\x82");
}

TEST(Printable, CutsWholeCharacters) {
  EXPECT_EQ(printable("abcdef", 6), "abcdef");
  EXPECT_EQ(printable("abcdef", 4), "abcd...");
  EXPECT_EQ(printable("aééé", 4), "aé...");
  EXPECT_EQ(printable("ab\n", 4), "ab...");
  EXPECT_EQ(printable(std::string(1 << 20, 'x')).size(), 203U);
}

TEST(Sentence, AllFields) {
  EXPECT_EQ(sentence({.rule = "safetensors.offset_hole",
                      .file = "m.safetensors",
                      .tensor = "a",
                      .byte_offset = 42248,
                      .expected = "begin 1024",
                      .found = "begin 1040",
                      .hint = "a hole could hide another file"}),
            "m.safetensors: tensor \"a\": byte 42248: safetensors.offset_hole: found begin 1040, expected "
            "begin 1024: "
            "a hole could hide another file");
}

TEST(Sentence, EmptyFieldsDoNotShow) {
  EXPECT_EQ(sentence({.rule = "no_model_found"}), "no_model_found");
  EXPECT_EQ(sentence({.rule = "r", .hint = "why"}), "r: why");
  EXPECT_EQ(sentence({.rule = "r", .expected = "x"}), "r: expected x");
}

TEST(Sentence, IsOneLine) {
  const std::string line =
      sentence({.rule = "r\n", .file = "f\n", .tensor = "t\n", .found = "x\n", .hint = "h\n"});
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(InvalidInput, CarriesItsFinding) {
  const InvalidInput error({.rule = "r", .file = "f"});
  EXPECT_EQ(error.finding().rule, "r");
  EXPECT_STREQ(error.what(), "f: r");
}

TEST(Utf8, EveryCodePointRoundTripsAndNothingElseIsOne) {
  for (char32_t code = 0; code < 0x110000; ++code) {
    std::string text;
    const auto put = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
      put(code);
    } else if (code < 0x800) {
      put(0xC0 | code >> 6), put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      put(0xE0 | code >> 12), put(0x80 | (code >> 6 & 0x3F)), put(0x80 | (code & 0x3F));
    } else {
      put(0xF0 | code >> 18), put(0x80 | (code >> 12 & 0x3F)), put(0x80 | (code >> 6 & 0x3F)),
          put(0x80 | (code & 0x3F));
    }
    const Utf8Character character = first_character(text);
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    ASSERT_EQ(character.length, surrogate ? 0 : text.size()) << static_cast<unsigned>(code);
    if (!surrogate) {
      ASSERT_EQ(character.code, code);
    }
  }
  EXPECT_EQ(first_character("\xF4\x90\x80\x80").length, 0U) << "beyond U+10FFFF";
  EXPECT_EQ(first_character("\xF0\x82\x82\xAC").length, 0U) << "overlong";
}

TEST(Utf8, FirstInvalidByte) {
  EXPECT_EQ(first_invalid_utf8("0123456789abcdef"), 16U);
  EXPECT_EQ(first_invalid_utf8("0123456789\xFF"
                               "bcdef"),
            10U);
  EXPECT_EQ(first_invalid_utf8("é\x80"), 2U);
}

}  // namespace
}  // namespace stemma
