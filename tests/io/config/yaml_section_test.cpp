// Does a section notice unread keys, propose what was meant, and go on after a mistake?
#include "io/config/yaml_section.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stemma {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> sentences(const Complaints& complaints) {
  std::vector<std::string> all;
  for (const Problem& problem : complaints.problems()) all.push_back(sentence(problem));
  return all;
}

TEST(Section, ReadsTypedValuesAndCollectsProblems) {
  Complaints complaints("a.yaml");
  const auto root =
      parse_yaml("flag: true\ncount: many\nword: red\ninner: {ratio: 0.5}\nlist: [a, b]\n", complaints);
  ASSERT_TRUE(root);
  Section top(*root, "", complaints);
  EXPECT_EQ(top.boolean("flag"), true);
  EXPECT_FALSE(top.integer("count"));
  EXPECT_FALSE(top.choice("word", {"blue", "green"}));
  auto inner = top.section("inner");
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->real("ratio"), 0.5);
  EXPECT_FALSE(inner->real("absent"));
  inner->close();
  EXPECT_EQ(top.list("list").size(), 2u);
  EXPECT_TRUE(top.list("absent").empty());
  top.require("name", "Write name: NAME");
  top.close();
  EXPECT_THAT(sentences(complaints), ElementsAre(HasSubstr("a.yaml:2:8: count = many is not a whole number"),
                                                 "a.yaml:3:7: word = red: write one of blue, green",
                                                 "a.yaml:1:1: name is missing. Write name: NAME"));
}

TEST(Section, UnknownKeysGetTheNearestKnownOne) {
  Complaints complaints("a.yaml");
  const auto root = parse_yaml("spectrum:\n  blok_size: 3\n  entirely_different: 1\n", complaints);
  Section top(*root, "", complaints);
  auto spectrum = top.section("spectrum");
  (void)spectrum->integer("block_size");
  (void)spectrum->boolean("circuits");
  spectrum->close();
  top.close();
  EXPECT_THAT(
      sentences(complaints),
      ElementsAre(
          "a.yaml:2:3: spectrum.blok_size is not a known key. Did you mean block_size?",
          "a.yaml:3:3: spectrum.entirely_different is not a known key. Known here: block_size, circuits"));
}

TEST(Section, AdviceComesFirst) {
  Complaints complaints("a.yaml");
  const auto root = parse_yaml("fdr: 1\nfoo: 2\n", complaints);
  Section top(*root, "", complaints);
  top.close([](const std::string& path) { return path == "fdr" ? "fdr belongs elsewhere" : ""; });
  EXPECT_THAT(sentences(complaints),
              ElementsAre("a.yaml:1:1: fdr belongs elsewhere", "a.yaml:2:1: foo is not a known key"));
}

TEST(Section, OtherKindsAreOneProblemAndReadAsEmpty) {
  Complaints complaints("a.yaml");
  const auto root = parse_yaml("compare: [a]\nempty:\nmodels: {a: 1}\n", complaints);
  Section top(*root, "", complaints);
  auto compare = top.section("compare");
  EXPECT_FALSE(compare->text("x"));
  compare->close();
  auto empty = top.section("empty");
  EXPECT_TRUE(empty->keys().empty());
  empty->close();
  EXPECT_TRUE(top.list("models").empty());
  top.close();
  EXPECT_THAT(sentences(complaints),
              ElementsAre("a.yaml:1:10: compare is a list; it must be a mapping: key: value",
                          "a.yaml:3:9: models is a mapping; it must be a list"));
}

TEST(Section, NearestFollowsDamerauLevenshtein) {
  const std::vector<std::string> words = {"strict", "coordinator", "memory_per_rank", "seed", "name"};
  EXPECT_EQ(nearest("strcit", words), "strict");                 // one exchange
  EXPECT_EQ(nearest("sead", words), "seed");                     // one substitution
  EXPECT_EQ(nearest("mem_per_rank", words), "memory_per_rank");  // three insertions in twelve letters
  EXPECT_EQ(nearest("koordinatr", words), "coordinator");
  EXPECT_FALSE(nearest("xyz", words));
  EXPECT_FALSE(nearest("threshold", words));
  EXPECT_FALSE(nearest("ab", {"cd"}));
  EXPECT_FALSE(nearest("", words));
}

TEST(ConfigProblems, AreSortedAndCutAtFifty) {
  std::vector<Problem> problems;
  for (int i = 60; i > 0; --i) problems.push_back({"b.yaml", i, 1, "", "m" + std::to_string(i), ""});
  problems.push_back({"a.yaml", 9, 3, "", "other file", ""});
  problems.push_back({"b.yaml", 0, 0, "", "late", "argument 10"});
  problems.push_back({"b.yaml", 0, 0, "", "early", "argument 2"});
  const ConfigProblems all(problems);
  ASSERT_EQ(all.problems().size(), 63u);
  EXPECT_EQ(sentence(all.problems()[0]), "a.yaml:9:3: other file");
  EXPECT_EQ(all.problems()[1].line, 1);
  EXPECT_EQ(sentence(all.problems()[61]), "argument 2: early");
  EXPECT_EQ(sentence(all.problems()[62]), "argument 10: late");
  const std::string what = all.what();
  EXPECT_EQ(std::count(what.begin(), what.end(), '\n'), 50);
  EXPECT_THAT(what, testing::EndsWith("\nand 13 more"));
}

}  // namespace
}  // namespace stemma
