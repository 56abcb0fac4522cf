// Does the YAML reader refuse what two YAML readers would read differently, and say where?
#include "io/config/yaml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/patience.hpp"

namespace stemma {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Outcome {
  std::optional<YamlNode> root;
  std::vector<std::string> sentences;
};

Outcome parse(std::string_view text, const YamlLimits& limits = {}) {
  Complaints complaints("a.yaml");
  Outcome outcome;
  outcome.root = parse_yaml(text, complaints, limits);
  for (const Problem& problem : complaints.problems()) outcome.sentences.push_back(sentence(problem));
  return outcome;
}

TEST(Yaml, EveryValueKnowsItsPlace) {
  const Outcome outcome = parse("a: 1\nb:\n  - x\n  - {c: 'y'}\n");
  ASSERT_TRUE(outcome.root);
  EXPECT_TRUE(outcome.sentences.empty());
  const YamlNode* b = outcome.root->find("b");
  ASSERT_TRUE(b);
  ASSERT_EQ(b->values.size(), 2u);
  EXPECT_EQ(b->values[0].at.line, 3);
  EXPECT_EQ(b->values[0].at.column, 5);
  const YamlNode* c = b->values[1].find("c");
  ASSERT_TRUE(c);
  EXPECT_TRUE(c->quoted);
  EXPECT_EQ(c->text, "y");
  EXPECT_EQ(c->at.line, 4);
  EXPECT_EQ(c->at.column, 9);
  EXPECT_FALSE(b->values[0].quoted);
}

TEST(Yaml, ColumnsCountCharactersNotBytes) {
  const Outcome outcome = parse("{größe: ja, b: x, b: y}\n");
  EXPECT_THAT(outcome.sentences, ElementsAre(HasSubstr("a.yaml:1:19: b is given twice (first in line 1)")));
}

TEST(Yaml, AcceptsByteOrderMarkAndCrLf) {
  const Outcome outcome = parse("\xEF\xBB\xBFname: x\r\nseed: 2\r\n");
  ASSERT_TRUE(outcome.root);
  EXPECT_EQ(outcome.root->find("name")->text, "x");
  EXPECT_EQ(outcome.root->find("seed")->text, "2");
  EXPECT_EQ(outcome.root->find("seed")->at.column, 7);
}

TEST(Yaml, EmptyTextsAreNull) {
  for (const char* text : {"", "\n", "# only a comment\n", "---\n"}) {
    const Outcome outcome = parse(text);
    ASSERT_TRUE(outcome.root) << text;
    EXPECT_EQ(outcome.root->kind, YamlNode::Kind::null) << text;
    EXPECT_TRUE(outcome.sentences.empty()) << text;
  }
}

TEST(Yaml, NullIsPlacedAtItsKey) {
  const Outcome outcome = parse("a:\nb: ~\nc: null\nd: \"null\"\n");
  ASSERT_TRUE(outcome.root);
  for (const char* key : {"a", "b", "c"}) {
    EXPECT_EQ(outcome.root->find(key)->kind, YamlNode::Kind::null) << key;
    EXPECT_EQ(outcome.root->find(key)->at.column, 1) << key;
  }
  EXPECT_EQ(outcome.root->find("c")->at.line, 3);
  EXPECT_EQ(outcome.root->find("d")->text, "null");
}

TEST(Yaml, DuplicateKeysNameBothLines) {
  const Outcome outcome = parse("models: [a]\nseed: 1\nmodels: [b]\nmodels: [c]\n");
  EXPECT_THAT(
      outcome.sentences,
      ElementsAre(
          "a.yaml:3:1: models is given twice (first in line 1); YAML readers keep one of them silently",
          "a.yaml:4:1: models is given twice (first in line 1); YAML readers keep one of them silently"));
  ASSERT_TRUE(outcome.root);
  EXPECT_EQ(outcome.root->keys.size(), 2u);
  EXPECT_EQ(outcome.root->values.size(), 2u);
}

TEST(Yaml, RefusesAnchorsAliasesTagsAndMergeKeys) {
  EXPECT_THAT(parse("a: &x 1\n").sentences, ElementsAre(HasSubstr("a.yaml:1:4: &x is an anchor")));
  EXPECT_THAT(parse("a: &x [1]\nb: *x\n").sentences,
              ElementsAre(HasSubstr("a.yaml:1:4: &x is an anchor"),
                          HasSubstr("a.yaml:2:4: the value begins with *")));
  EXPECT_THAT(parse("a: !!str 1\n").sentences, ElementsAre(HasSubstr("a.yaml:1:4: !!str is a tag")));
  EXPECT_THAT(parse("a: ! 1\n").sentences, ElementsAre(HasSubstr("a.yaml:1:4: ! is a tag")));
  EXPECT_THAT(parse("a: !x {b: 1}\n").sentences, ElementsAre(HasSubstr("a.yaml:1:4: !x is a tag")));
  EXPECT_THAT(parse("a: {<<: {b: 1}}\n").sentences, ElementsAre(HasSubstr("a.yaml:1:5: << is a merge key")));
  EXPECT_TRUE(parse("a: \"! &x *y\"\n").sentences.empty());
}

TEST(Yaml, RefusesKeysThatAreNotTexts) {
  EXPECT_THAT(parse("? [a, b]\n: 1\nc: 2\n").sentences,
              ElementsAre(HasSubstr("a key is a list; keys must be texts")));
  EXPECT_THAT(parse("~: 1\n").sentences, ElementsAre(HasSubstr("a key is empty; keys must be texts")));
}

TEST(Yaml, RefusesASecondDocument) {
  EXPECT_THAT(parse("a: 1\n---\nb: 2\n").sentences,
              ElementsAre(HasSubstr("a.yaml:2:1: a second document begins here")));
  EXPECT_THAT(parse("---\na: 1\n---\nb: 2\n").sentences,
              ElementsAre(HasSubstr("a.yaml:3:1: a second document")));
  EXPECT_THAT(parse("# a\n\n---\na: 1\n---\n").sentences,
              ElementsAre(HasSubstr("a.yaml:5:1: a second document")));
  EXPECT_TRUE(parse("---\na: 1\n").sentences.empty());
  EXPECT_TRUE(parse("# b\n---\na: 1\n# c\n\n").sentences.empty());
  EXPECT_TRUE(parse("a: 1\n...\n").sentences.empty());
}

TEST(Yaml, SyntaxErrorsAreSaidInOurWords) {
  EXPECT_THAT(parse("a:\n\tb: 1\n").sentences,
              ElementsAre("a.yaml:2:1: a tab indents this line; YAML wants spaces"));
  EXPECT_THAT(
      parse("models:\n  - *.gguf\n").sentences,
      ElementsAre("a.yaml:2:5: the value begins with *, which YAML reads as an alias. Quote it: \"*.gguf\""));
  EXPECT_THAT(
      parse("models: [{glob: *.gguf}]\n").sentences,
      ElementsAre(
          "a.yaml:1:17: the value begins with *, which YAML reads as an alias. Quote it: \"*.gguf\""));
  EXPECT_THAT(
      parse("a: @home\n").sentences,
      ElementsAre("a.yaml:1:4: the value begins with @, which YAML reads as a reserved character. Quote it: "
                  "\"@home\""));
  EXPECT_THAT(parse("a: %x\n").sentences, ElementsAre(HasSubstr("a.yaml:1:4: the value begins with %")));
  EXPECT_THAT(parse("a: {b,c}/d\n").sentences,
              ElementsAre(HasSubstr(
                  "a.yaml:1:4: the value begins with {, which YAML reads as the start of a mapping. "
                  "Quote it: \"{b,c}/d\"")));
  EXPECT_THAT(parse("a: [b]c\n").sentences, ElementsAre(HasSubstr("a.yaml:1:4: the value begins with [")));
  EXPECT_THAT(parse("name: x\na: b: c\n").sentences,
              ElementsAre(HasSubstr("a.yaml:2:4: the value holds a colon and a blank")));
  EXPECT_THAT(parse("a: [1, 2\n").sentences, ElementsAre(HasSubstr("this is not YAML")));
  EXPECT_FALSE(parse("a: [1, 2\n").root);
}

TEST(Yaml, RefusesQuotesThatAreNeverClosed) {
  for (const std::string rest : {"\"b\nc: d\n", "\"b\\\"\n", "'b\nc: d\n", "'it''s\n", "'b''\n"})
    EXPECT_THAT(parse("a: 1\nb: " + rest).sentences, ElementsAre(HasSubstr("a.yaml:2:4: the quote ")))
        << rest;
  for (const std::string rest :
       {"\"b\\\"\"\n", "\"\"\n", "''\n", "'it''s'\n", "''''\n", "\"b\n  c\"\nd: 1\n", "|\n  \"b\n"})
    EXPECT_TRUE(parse("b: " + rest).sentences.empty()) << rest;
}

TEST(Yaml, RefusesBytesThatAreNotText) {
  EXPECT_THAT(parse("a: 1\nb: \xFFx\n").sentences,
              ElementsAre(HasSubstr("a.yaml:2:4: byte 0xff is not text")));
  EXPECT_THAT(parse("a: \xC0\xAF\n").sentences, ElementsAre(HasSubstr("byte 0xc0")));      // overlong
  EXPECT_THAT(parse("a: \xED\xA0\x80\n").sentences, ElementsAre(HasSubstr("byte 0xed")));  // surrogate
  EXPECT_THAT(parse("a: \xF4\x90\x80\x80\n").sentences,
              ElementsAre(HasSubstr("byte 0xf4")));  // past U+10FFFF
  EXPECT_THAT(parse(std::string_view("a: \0\n", 5)).sentences, ElementsAre(HasSubstr("byte 0x00")));
  EXPECT_TRUE(parse("a: \xF0\x9F\x8C\xB2 \xE2\x82\xAC\n").sentences.empty());
}

TEST(Yaml, HoldsItsLimits) {
  EXPECT_THAT(parse("a: 12345\n", {.bytes = 4}).sentences,
              ElementsAre(HasSubstr("the file has 9 bytes; the limit is 4")));
  EXPECT_THAT(parse("[[[1]]]\n", {.depth = 2}).sentences,
              ElementsAre(HasSubstr("a.yaml:1:3: values are nested more than 2")));
  EXPECT_TRUE(parse("[[[1]]]\n", {.depth = 3}).sentences.empty());
  EXPECT_THAT(parse("[1, 2, 3]\n", {.nodes = 3}).sentences, ElementsAre(HasSubstr("more than 3 values")));
  EXPECT_TRUE(parse("[1, 2, 3]\n", {.nodes = 4}).sentences.empty());
  const std::string deep(1 << 20, '[');
  EXPECT_THAT(parse(deep).sentences, ElementsAre(HasSubstr("nested more than 32")));
}

TEST(Yaml, AliasesThatExplodeAreRefusedAtOnce) {
  std::string text = "a0: &a0 [x]\n";
  for (int i = 1; i < 30; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + ", *a" +
            std::to_string(i - 1) + "]\n";
  }
  const double begin = test::processor_seconds();
  EXPECT_EQ(parse(text).sentences.size(), 30u + 29u * 2u);
  EXPECT_LT(test::processor_seconds() - begin, 2.0 * test::patience());
}

TEST(Yaml, ACommentBehindAValueIsRemembered) {
  const Outcome outcome = parse("a: /data/run #3\nb: /data/run#3\nc: '/data' # x\n");
  ASSERT_TRUE(outcome.root);
  EXPECT_EQ(outcome.root->find("a")->text, "/data/run");
  EXPECT_TRUE(outcome.root->find("a")->comment_follows);
  EXPECT_EQ(outcome.root->find("b")->text, "/data/run#3");
  EXPECT_FALSE(outcome.root->find("b")->comment_follows);
  EXPECT_FALSE(outcome.root->find("c")->comment_follows);
}

TEST(Yaml, FilesThatCannotBeReadAreProblems) {
  Complaints complaints("/nonexistent/a.yaml");
  EXPECT_FALSE(read_text_file("/nonexistent/a.yaml", 100, complaints));
  EXPECT_FALSE(read_text_file("/dev", 100, complaints));
  ASSERT_EQ(complaints.problems().size(), 2u);
  EXPECT_EQ(sentence(complaints.problems()[0]),
            "/nonexistent/a.yaml: there is no such file: /nonexistent is missing");
}

}  // namespace
}  // namespace stemma
