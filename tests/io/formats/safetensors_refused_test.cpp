// Is every broken header refused with the rule that it violates first?
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/formats/safetensors.hpp"
#include "tests/harness/patience.hpp"
#include "tests/io/formats/fixtures.hpp"

namespace stemma {
namespace {

using namespace std::string_literals;
using fixtures::MemoryReader;
using fixtures::rule_of_refusal;
using fixtures::safetensors;
using fixtures::u64;

std::string entry(std::string_view dtype, std::string_view shape, std::string_view offsets) {
  return fmt::format(R"({{"dtype":{},"shape":{},"data_offsets":{}}})", dtype, shape, offsets);
}
std::string one_refused(std::string_view dtype, std::string_view shape, std::string_view offsets,
                        std::size_t data) {
  return safetensors(fmt::format(R"({{"a":{}}})", entry(dtype, shape, offsets)), std::string(data, 'x'));
}
std::string with_dimension(std::string_view dimension) {
  return one_refused(R"("U8")", fmt::format("[{}]", dimension), "[0,1]", 1);
}
std::string with_offset(std::string_view offset) {
  return one_refused(R"("U8")", "[1]", fmt::format("[0,{}]", offset), 1);
}
std::string two(std::string_view first, std::string_view second, std::size_t data) {
  return safetensors(
      fmt::format(R"({{"a":{},"b":{}}})", entry(R"("U8")", "[4]", first), entry(R"("U8")", "[4]", second)),
      std::string(data, 'x'));
}
std::string repeated(std::string_view piece, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += piece;
  return text;
}
std::string named(std::string_view name) {
  return safetensors(fmt::format(R"({{"{}":{}}})", name, entry(R"("U8")", "[1]", "[0,1]")), "x");
}
std::string metadata(std::string_view value) {
  return safetensors(fmt::format(R"({{"__metadata__":{}}})", value));
}

struct Case {
  std::string what;
  std::string file;
  std::string rule;
};

std::vector<Case> cases() {
  const std::string good = entry(R"("U8")", "[1]", "[0,1]");
  const std::string ten = [] {
    std::string header = "{";
    for (int i = 0; i < 10; ++i) {
      header += fmt::format(R"({}"t{}":{})", i == 0 ? "" : ",", i, entry(R"("F32")", "[2,2]", "[0,16]"));
    }
    return safetensors(header + "}", std::string(16, 'x'));
  }();
  std::vector<Case> all{
      {"empty file", "", "header_too_small"},
      {"7 bytes", std::string(7, '\0'), "header_too_small"},
      {"high bytes of the length set", u64(0xFFFFFF000000003CULL) + "{}", "header_too_large"},
      {"one above the limit", u64(100'000'001) + "{}", "header_too_large"},
      {"no body", u64(60), "header_beyond_file"},
      {"1000 in an 88-byte file", u64(1000) + std::string(80, ' '), "header_beyond_file"},
      {"one byte beyond", u64(3) + "{}", "header_beyond_file"},
      {"0xFF", safetensors("\xFF"), "header_not_utf8"},
      {"overlong", safetensors("{\"\xC0\xAF\":1}"), "header_not_utf8"},
      {"surrogate in UTF-8", safetensors("{\"\xED\xA0\x80\":1}"), "header_not_utf8"},
      {"cut character", safetensors("{\"\xE2\x82"), "header_not_utf8"},
      {"BOM", safetensors("\xEF\xBB\xBF{}"), "header_bom"},
      {"nothing", safetensors(""), "header_not_json"},
      {"blanks", safetensors("    "), "header_not_json"},
      {"open brace", safetensors("{"), "header_not_json"},
      {"100,000 open brackets", safetensors(std::string(100'000, '[')), "header_not_json"},
      {"cut in a string", safetensors(R"({"abc)"), "header_not_json"},
      {"cut in an escape", safetensors(R"({"a\u00)"), "header_not_json"},
      {"cut in a surrogate pair", safetensors(R"({"a\ud83d\u)"), "header_not_json"},
      {"lone surrogate", safetensors(R"({"\ud83d":1})"), "header_not_json"},
      {"garbage behind", safetensors("{} x"), "header_not_json"},
      {"two objects", safetensors("{}{}"), "header_not_json"},
      {"NUL padding", safetensors("{}\0"s), "header_not_json"},
      {"comment", safetensors("{}//"), "header_not_json"},
      {"NaN", with_dimension("NaN"), "header_not_json"},
      {"array", safetensors("[]"), "header_not_object"},
      {"null", safetensors("null"), "header_not_object"},
      {"number", safetensors("3"), "header_not_object"},
      {"closed 100,000 deep", safetensors(repeated("[", 100'000) + repeated("]", 100'000)),
       "header_not_object"},
      {"object 100,000 deep", safetensors(repeated("{\"a\":", 100'000) + "1" + repeated("}", 100'000)),
       "header_too_deep"},
      {"nested dimension", with_dimension("[1]"), "header_too_deep"},
      {"duplicate tensor", safetensors(fmt::format(R"({{"a":{0},"a":{0}}})", good), "x"), "duplicate_key"},
      {"escaped duplicate", safetensors(fmt::format(R"({{"a":{0},"\u0061":{0}}})", good), "x"),
       "duplicate_key"},
      {"duplicate dtype",
       safetensors(R"({"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}})", "x"),
       "duplicate_key"},
      {"duplicate metadata", safetensors(R"({"__metadata__":{},"__metadata__":{}})"), "duplicate_key"},
      {"duplicate metadata key", metadata(R"({"k":"1","k":"2"})"), "duplicate_key"},
      {"metadata array", metadata("[]"), "metadata_not_strings"},
      {"metadata string", metadata(R"("x")"), "metadata_not_strings"},
      {"metadata with number", metadata(R"({"k":1})"), "metadata_not_strings"},
      {"metadata with null", metadata(R"({"k":null})"), "metadata_not_strings"},
      {"metadata nested", metadata(R"({"k":{"l":"m"}})"), "metadata_not_strings"},
      {"entry null", safetensors(R"({"a":null})"), "entry_malformed"},
      {"entry array", safetensors(R"({"a":[]})"), "entry_malformed"},
      {"entry empty", safetensors(R"({"a":{}})"), "entry_malformed"},
      {"dtype missing", safetensors(R"({"a":{"shape":[1],"data_offsets":[0,1]}})", "x"), "entry_malformed"},
      {"dtype number", one_refused("8", "[1]", "[0,1]", 1), "entry_malformed"},
      {"shape missing", safetensors(R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", "x"), "entry_malformed"},
      {"shape object", one_refused(R"("U8")", "{}", "[0,1]", 1), "entry_malformed"},
      {"offsets missing", safetensors(R"({"a":{"dtype":"U8","shape":[1]}})", "x"), "entry_malformed"},
      {"unknown dtype", one_refused(R"("F33")", "[1]", "[0,1]", 1), "unknown_dtype"},
      {"lower case dtype", one_refused(R"("f32")", "[1]", "[0,4]", 4), "unknown_dtype"},
      {"rank 9", one_refused(R"("U8")", "[1,1,1,1,1,1,1,1,1]", "[0,1]", 1), "rank_too_large"},
      {"one offset", one_refused(R"("U8")", "[1]", "[0]", 1), "offsets_not_a_pair"},
      {"three offsets", one_refused(R"("U8")", "[1]", "[0,1,1]", 1), "offsets_not_a_pair"},
      {"empty name", named(""), "name_invalid"},
      {"NUL in the name", named(R"(a\u0000b)"), "name_invalid"},
      {"name of 4097 bytes", named(std::string(4097, 'n')), "name_invalid"},
      {"name of a megabyte", named(std::string(1 << 20, 'n')), "name_invalid"},
      {"offsets reversed", one_refused(R"("U8")", "[1]", "[1,0]", 1), "offset_reversed"},
      {"first begin 1", one_refused(R"("U8")", "[1]", "[1,2]", 2), "offset_hole"},
      {"hole of 1 byte", two("[0,4]", "[5,9]", 9), "offset_hole"},
      {"overlap by 1", two("[0,4]", "[3,7]", 7), "offset_overlap"},
      {"ten tensors at one place", ten, "offset_overlap"},
      {"product 2^65 - 4", one_refused(R"("I32")", "[2,18446744073709551614]", "[0,16]", 16),
       "shape_overflow"},
      {"product 2^64 - 2", one_refused(R"("I32")", "[2,9223372036854775807]", "[0,16]", 16),
       "shape_overflow"},
      {"dimension 2^63 behind a zero", one_refused(R"("U8")", "[0,9223372036854775808]", "[0,0]", 0),
       "shape_overflow"},
      {"2^61 doubles", one_refused(R"("F64")", "[2305843009213693952]", "[0,16]", 16), "size_overflow"},
      {"F4 of 3", one_refused(R"("F4")", "[1,3]", "[0,2]", 2), "not_whole_bytes"},
      {"F6 of 5", one_refused(R"("F6_E2M3")", "[5]", "[0,4]", 4), "not_whole_bytes"},
      {"F4 of 2 in 2 bytes", one_refused(R"("F4")", "[1,2]", "[0,2]", 2), "size_mismatch"},
      {"I32 [2,2] in 4 bytes", one_refused(R"("I32")", "[2,2]", "[0,4]", 4), "size_mismatch"},
      {"a million floats in one byte", one_refused(R"("F32")", "[1024,1024]", "[0,1]", 1), "size_mismatch"},
      {"1 byte too many", one_refused(R"("U8")", "[4]", "[0,4]", 5), "trailing_bytes"},
      {"data without tensor", safetensors("{}", "x"), "trailing_bytes"},
      {"2 bytes too few", one_refused(R"("U8")", "[4]", "[0,4]", 2), "truncated"},
      {"end near 2^64", one_refused(R"("U8")", "[2305843009213693951]", "[0,2305843009213693951]", 1),
       "truncated"},
  };
  for (const char* number : {"-1", "-0", "1.0", "1e3", "18446744073709551616", R"("1")", "true", "null"}) {
    all.push_back({fmt::format("dimension {}", number), with_dimension(number), "not_an_unsigned_integer"});
    all.push_back({fmt::format("offset {}", number), with_offset(number), "not_an_unsigned_integer"});
  }
  const std::string digits = std::string(400, '9');
  all.push_back({"dimension of 400 digits", with_dimension(digits), "not_an_unsigned_integer"});
  return all;
}

std::string rule_and_refusal_of(const std::string& file) {
  MemoryReader reader(file);
  return rule_of_refusal([&] { read_safetensors_header(reader.file(), reader); });
}

TEST(SafetensorsRefused, EachWithItsRule) {
  for (const Case& broken : cases()) {
    EXPECT_EQ(rule_and_refusal_of(broken.file), "safetensors." + broken.rule) << broken.what;
  }
}

TEST(SafetensorsRefused, TheEarliestRuleWinsHoweverLateItsEntryComes) {
  const std::string overlap = entry(R"("U8")", "[1]", "[5,6]"), bad_dtype = entry(R"("F33")", "[1]", "[0,1]");
  EXPECT_EQ(rule_and_refusal_of(safetensors(fmt::format(R"({{"":{},"b":{}}})", overlap, bad_dtype))),
            "safetensors.unknown_dtype");
  EXPECT_EQ(rule_and_refusal_of(safetensors(fmt::format(R"({{"a":{},"b":1,"__metadata__":[]}})", bad_dtype))),
            "safetensors.metadata_not_strings");
}

TEST(SafetensorsRefused, FindingSaysWhereAndWhat) {
  MemoryReader reader(two("[0,4]", "[5,9]", 9));
  try {
    read_safetensors_header(reader.file(), reader);
    FAIL();
  } catch (const InvalidInput& refused) {
    const Finding& finding = refused.finding();
    EXPECT_EQ(finding.file, "memory.safetensors");
    EXPECT_EQ(finding.tensor, "b");
    EXPECT_EQ(finding.byte_offset, reader.file().bytes - 9 + 5);
    EXPECT_EQ(finding.found, "begin 5");
    EXPECT_THAT(finding.expected, ::testing::StartsWith("4"));
  }
}

TEST(SafetensorsRefused, InBoundedTime) {
  const double start = test::processor_seconds();
  std::string overlapping = "{";
  for (int i = 0; i < 100'000; ++i) {
    overlapping += fmt::format(R"({}"t{}":{})", i == 0 ? "" : ",", i, entry(R"("U8")", "[8]", "[0,8]"));
  }
  EXPECT_EQ(rule_and_refusal_of(safetensors(overlapping + "}", std::string(8, 'x'))),
            "safetensors.offset_overlap");
  EXPECT_EQ(rule_and_refusal_of(safetensors(std::string(100'000'000, ' '))), "safetensors.header_not_json");
  EXPECT_EQ(rule_and_refusal_of(safetensors(std::string(10'000'000, '['))), "safetensors.header_not_json");
  EXPECT_LT(test::processor_seconds() - start, 20.0 * test::patience());
}

TEST(SafetensorsRefused, MoreTensorsThanTheLimit) {
  std::string header = "{";
  for (int i = 0; i <= 1'048'576; ++i) {
    header +=
        fmt::format(R"({}"{}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", i == 0 ? "" : ",", i);
  }
  EXPECT_EQ(rule_and_refusal_of(safetensors(header + "}")), "safetensors.too_many_tensors");
}

}  // namespace
}  // namespace stemma
