// What is read from a configuration and from front matter, and what is refused?
#include "io/formats/companions.hpp"

#include <gtest/gtest.h>

#include "tests/io/formats/fixtures.hpp"

namespace stemma {
namespace {

using fixtures::rule_of_refusal;

std::vector<std::string> bases(std::string_view text) {
  std::vector<std::string> names;
  for (const Claim& claim : front_matter_claims(text, "README.md")) names.push_back(claim.base);
  return names;
}
std::string companions_refusal(const std::string& text) {
  return rule_of_refusal([&] { front_matter_claims(text, "README.md"); });
}
using Names = std::vector<std::string>;

TEST(FrontMatter, OneBaseOrSeveral) {
  EXPECT_EQ(bases("---\nbase_model: a/b\n---\n"), Names{"a/b"});
  EXPECT_EQ(bases("---\r\nlicense: mit\r\nbase_model:\r\n- a/b\r\n- c/d\r\ntags: [x]\r\n---\r\n"),
            (Names{"a/b", "c/d"}));
  EXPECT_EQ(bases("---\nbase_model: [a, \"b\"]\n---\n"), (Names{"a", "b"}));
}

TEST(FrontMatter, OnlyAtTheRootAndOnlyStrings) {
  EXPECT_EQ(bases("---\nx:\n  base_model: a\nbase_model: {name: b}\nlist: [base_model, c]\n---\n"), Names{});
  EXPECT_EQ(bases("---\n- base_model\n- a\n---\n"), Names{});
  EXPECT_EQ(bases("---\nbase_model:\n---\n"), Names{});
  EXPECT_EQ(bases("---\n? {a: b}\n: [c]\nbase_model: d\n---\n"), Names{"d"});
}

TEST(FrontMatter, TheRelationHoldsForEveryBase) {
  const auto claims =
      front_matter_claims("---\nbase_model: [a, b]\nbase_model_relation: merge\n---\n", "README.md");
  ASSERT_EQ(claims.size(), 2U);
  EXPECT_EQ(claims[0].relation, "merge");
  EXPECT_EQ(claims[1].relation, "merge");
  EXPECT_EQ(claims[1].source, "README.md");
}

TEST(FrontMatter, None) {
  EXPECT_EQ(bases(""), Names{});
  EXPECT_EQ(bases("# title\nbase_model: a\n"), Names{});
  EXPECT_EQ(bases("---\nbase_model: a\nnever closed\n"), Names{});
}

TEST(FrontMatter, Refusals) {
  EXPECT_EQ(companions_refusal("---\na: &x b\nc: *x\n---\n"), "yaml.alias");
  EXPECT_EQ(companions_refusal("---\na: *nowhere\n---\n"), "yaml.syntax");
  EXPECT_EQ(companions_refusal("---\na: [b\n---\n"), "yaml.syntax");
  EXPECT_EQ(companions_refusal("---\n" + std::string(70'000, 'x') + "\n---\n"), "yaml.limit");
  EXPECT_EQ(companions_refusal("---\na: " + std::string(40, '[') + std::string(40, ']') + "\n---\n"),
            "yaml.limit");
  EXPECT_NE(companions_refusal("---\na: " + std::string(60'000, '[') + "\n---\n"), "")
      << "deep nesting is no recursion";
}

TEST(FrontMatter, LongValuesAreLeftOut) {
  EXPECT_EQ(bases("---\nbase_model: " + std::string(1025, 'x') + "\n---\n"), Names{});
  EXPECT_EQ(bases("---\nbase_model: " + std::string(1024, 'x') + "\n---\n").size(), 1U);
}

TEST(Config, NonFiniteNumbersBecomeNull) {
  EXPECT_EQ(strict_config(R"({"a":NaN,"b":-Infinity})", "config.json"), R"({"a":null,"b":null})");
}

TEST(Config, Refusals) {
  const auto config = [](std::string_view text) {
    return rule_of_refusal([&] { strict_config(text, "config.json"); });
  };
  EXPECT_EQ(config("{}"), "");
  EXPECT_EQ(config("[{}]"), "json.syntax");
  EXPECT_EQ(config("3"), "json.syntax");
  EXPECT_EQ(config(R"({"a":{"b":1,"b":2}})"), "json.duplicate_key");
  EXPECT_EQ(config(R"({"a":)" + std::string(100, '[') + std::string(100, ']') + "}"), "json.too_deep");
}

}  // namespace
}  // namespace stemma
