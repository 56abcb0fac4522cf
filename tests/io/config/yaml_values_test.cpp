// Are scalars read by our own rules, whatever a YAML library would make of them?
#include "io/config/yaml_values.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stemma {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// The value of "k: TEXT".
struct Value {
  explicit Value(const std::string& text) : complaints("f") {
    Complaints parsing("f");
    auto root = parse_yaml("k: " + text + "\n", parsing);
    EXPECT_TRUE(root && parsing.problems().empty()) << text;
    node = *root->find("k");
  }
  std::string problem() const {
    return complaints.problems().empty() ? "" : sentence(complaints.problems()[0]);
  }

  Complaints complaints;
  YamlNode node;
};

TEST(YamlValues, BooleansAreTrueAndFalseUnquoted) {
  for (const auto& [text, expected] : {std::pair("true", true), std::pair("false", false)}) {
    Value value(text);
    EXPECT_EQ(read_bool(value.node, "k", value.complaints), expected);
  }
  for (const char* text :
       {"yes", "no", "on", "off", "y", "n", "True", "TRUE", "1", "0", "\"true\"", "'yes'", "~", "[]"}) {
    Value value(text);
    EXPECT_FALSE(read_bool(value.node, "k", value.complaints)) << text;
    EXPECT_EQ(value.complaints.problems().size(), 1u) << text;
  }
  Value yes("yes");
  (void)read_bool(yes.node, "strict", yes.complaints);
  EXPECT_EQ(yes.problem(), "f:1:4: strict = yes: write true or false");
}

TEST(YamlValues, IntegersAreDecimal) {
  const std::vector<std::pair<std::string, std::int64_t>> good = {{"0", 0},
                                                                  {"17", 17},
                                                                  {"-5", -5},
                                                                  {"9223372036854775807", INT64_MAX},
                                                                  {"-9223372036854775808", INT64_MIN}};
  for (const auto& [text, expected] : good) {
    Value value(text);
    EXPECT_EQ(read_integer(value.node, "k", value.complaints), expected) << text;
  }
  for (const char* text : {"017", "0x1F", "1_000", "99999999999999999999", "9223372036854775808", "1.0",
                           "1e3", "+1", "0b1", "1:30", "\"17\"", "''", "~", "{}"}) {
    Value value(text);
    EXPECT_FALSE(read_integer(value.node, "k", value.complaints)) << text;
    EXPECT_EQ(value.complaints.problems().size(), 1u) << text;
  }
}

TEST(YamlValues, BoundsAreInclusiveAndExplained) {
  const IntegerBounds bounds{32, 4096, "fewer anchors make signatures collide"};
  for (const char* text : {"32", "4096"}) {
    Value value(text);
    EXPECT_TRUE(read_integer(value.node, "k", value.complaints, bounds));
  }
  Value below("16");
  EXPECT_FALSE(read_integer(below.node, "anchors", below.complaints, bounds));
  EXPECT_EQ(below.problem(), "f:1:4: anchors = 16 is below 32 (fewer anchors make signatures collide)");
  Value above("4097");
  EXPECT_FALSE(read_integer(above.node, "anchors", above.complaints, {32, 4096}));
  EXPECT_EQ(above.problem(), "f:1:4: anchors = 4097 is above 4096");
}

TEST(YamlValues, RealsFollowJson) {
  const std::vector<std::pair<std::string, double>> good = {{"0", 0},       {"-0.5", -0.5}, {"1e-6", 1e-6},
                                                            {"2E+3", 2000}, {"0.01", 0.01}, {"12", 12}};
  for (const auto& [text, expected] : good) {
    Value value(text);
    EXPECT_EQ(read_real(value.node, "k", value.complaints), expected) << text;
  }
  for (const char* text : {".5", "1.", "01.5", "+1", "1e", ".inf", ".nan", "nan", "inf", "0x1p3", "1_0.5",
                           "1e999", "\"1.5\"", "1,5"}) {
    Value value(text);
    EXPECT_FALSE(read_real(value.node, "k", value.complaints)) << text;
    EXPECT_EQ(value.complaints.problems().size(), 1u) << text;
  }
}

TEST(YamlValues, TextsAreLiteralAndTrapsAreNoted) {
  for (const char* text : {"1e5", "0123456", "12345678", "no", "Y", "0x1F", "1_000", "12:30:45", "2026-11-21",
                           ".inf", "-7", "1.5"}) {
    Value value(text);
    EXPECT_EQ(read_text(value.node, "revision", value.complaints), text);
    EXPECT_THAT(value.complaints.notes(), ElementsAre(HasSubstr("Quote it: other YAML readers change it")))
        << text;
  }
  for (const char* text : {"main", "v1.0", "1.2.3", "abc123", "e5", "-x", "none", "qwen2.5-7b", "4f2a"}) {
    Value value(text);
    EXPECT_EQ(read_text(value.node, "revision", value.complaints), text);
    EXPECT_TRUE(value.complaints.notes().empty()) << text;
  }
  Value quoted("\"no\"");
  EXPECT_EQ(read_text(quoted.node, "k", quoted.complaints), "no");
  EXPECT_TRUE(quoted.complaints.notes().empty());
  Value nothing("");
  EXPECT_FALSE(read_text(nothing.node, "k", nothing.complaints));
  EXPECT_THAT(nothing.problem(), HasSubstr("f:1:1: k has no value"));
}

TEST(YamlValues, ListsOfTexts) {
  Value one("a");
  EXPECT_THAT(*read_texts(one.node, "k", one.complaints), ElementsAre("a"));
  Value two("[a, \"b c\"]");
  EXPECT_THAT(*read_texts(two.node, "k", two.complaints), ElementsAre("a", "b c"));
  Value wrong("[a, {b: c}, ~]");
  EXPECT_FALSE(read_texts(wrong.node, "k", wrong.complaints));
  ASSERT_EQ(wrong.complaints.problems().size(), 2u);
  EXPECT_EQ(wrong.complaints.problems()[0].key, "k[1]");
}

TEST(YamlValues, Choices) {
  Value good("lines");
  EXPECT_EQ(read_choice(good.node, "k", good.complaints, {"bar", "lines"}), "lines");
  Value bad("line");
  EXPECT_FALSE(read_choice(bad.node, "k", bad.complaints, {"bar", "lines"}));
  EXPECT_EQ(bad.problem(), "f:1:4: k = line: write one of bar, lines");
}

TEST(YamlValues, SizesAndDurations) {
  EXPECT_EQ(size_from("1024"), 1024u);
  EXPECT_EQ(size_from("3GiB"), 3ULL << 30);
  EXPECT_EQ(size_from("1.5KiB"), 1536u);
  EXPECT_EQ(size_from("10MB"), 10'000'000u);
  EXPECT_EQ(size_from("2B"), 2u);
  for (const char* text :
       {"", "B", "1.5", "-1", "1 GB", "1gb", "1.5B", "01KB", "1..5KB", "99999999TiB", "0x10", "1.KB"}) {
    EXPECT_FALSE(size_from(text)) << text;
  }
  EXPECT_EQ(duration_from("90s"), 90);
  EXPECT_EQ(duration_from("10min"), 600);
  EXPECT_EQ(duration_from("1.5h"), 5400);
  EXPECT_EQ(duration_from("2d"), 172800);
  for (const char* text : {"90", "1m", "1 h", "", "s", "0.3s", "-1s"})
    EXPECT_FALSE(duration_from(text)) << text;
}

TEST(YamlValues, PrintedSizesReadBack) {
  for (const std::uint64_t bytes :
       {0ULL, 1ULL, 999ULL, 1024ULL, 512ULL << 20, 3ULL << 30, 10'000'000ULL, 1025ULL, 1ULL << 62}) {
    EXPECT_EQ(size_from(printed_size(bytes)), bytes) << printed_size(bytes);
  }
  EXPECT_EQ(printed_size(512ULL << 20), "512MiB");
  for (const std::int64_t seconds : {0LL, 30LL, 90LL, 600LL, 14400LL, 172800LL}) {
    EXPECT_EQ(duration_from(printed_duration(seconds)), seconds);
  }
}

}  // namespace
}  // namespace stemma
