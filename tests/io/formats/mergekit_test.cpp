// Does a merge recipe tell which models it names, once each, and nothing else?
#include "io/formats/mergekit.hpp"

#include <gmock/gmock.h>

#include "io/formats/companions.hpp"
#include "io/formats/model_files.hpp"
#include "tests/io/formats/fixtures.hpp"

namespace stemma {
namespace {

using fixtures::rule_of_refusal;
using fixtures::TemporaryDirectory;
using ::testing::ElementsAre;

std::vector<std::string> claims_of(const std::string& text) {
  std::vector<std::string> said;
  for (const Claim& claim : mergekit_claims(text, "mergekit_config.yml")) {
    EXPECT_EQ(claim.source, "mergekit_config.yml");
    said.push_back(claim.base + ": " + claim.relation);
  }
  return said;
}

TEST(Mergekit, ModelsAndBase) {
  EXPECT_THAT(
      claims_of("merge_method: ties\nbase_model: org/base\nmodels:\n  - model: org/base\n  - model: org/a\n"
                "    parameters: {weight: 0.5, density: 0.7}\n  - model: {path: org/b, revision: main}\n"),
      ElementsAre("org/base: merge (ties)", "org/a: merge (ties; weight 0.5)", "org/b: merge (ties)"));
}

TEST(Mergekit, SlicesAndSteps) {
  EXPECT_THAT(
      claims_of("slices:\n  - sources:\n      - {model: a/b, layer_range: [0, 16]}\n  - sources:\n"
                "      - {model: c/d, layer_range: [8, 32]}\nmerge_method: passthrough\ndtype: bfloat16\n"),
      ElementsAre("a/b: merge (passthrough; layers 0 to 16)", "c/d: merge (passthrough; layers 8 to 32)"));
  EXPECT_THAT(
      claims_of(
          "merge_method: slerp\nmodels: [{model: x}]\nthen: {merge_method: linear, models: [{model: y}]}\n"),
      ElementsAre("x: merge (slerp)", "y: merge (linear)"));
}

TEST(Mergekit, WhatIsNoRecipe) {
  EXPECT_THAT(claims_of("[]"), ElementsAre());
  EXPECT_THAT(claims_of("base_model: {}\nmodels: [1, [2]]\nmodel: [a]\n"), ElementsAre());
  EXPECT_THAT(claims_of("base_model: " + std::string(2000, 'a')), ElementsAre());
  for (const char* text : {"a: &x 1\nb: *x\n", "a: [", "a: 1\na: 2\n"})
    EXPECT_EQ(rule_of_refusal([&] { mergekit_claims(text, "m"); }), "mergekit.ignored") << text;
}

TEST(Mergekit, IsReadBesideTheWeights) {
  const TemporaryDirectory directory;
  directory.write("mergekit_config.yml", "merge_method: linear\nmodels: [{model: a/b}]\n");
  Checkpoint checkpoint;
  read_companions(directory.path(), list_directory(directory.path()), checkpoint);
  ASSERT_EQ(checkpoint.claims.size(), 1U);
  EXPECT_EQ(checkpoint.claims[0].base, "a/b");
  directory.write("mergekit_config.yml", "a: *b");
  checkpoint = {};
  read_companions(directory.path(), list_directory(directory.path()), checkpoint);
  ASSERT_EQ(checkpoint.findings.size(), 1U);
  EXPECT_EQ(checkpoint.findings[0].rule, "mergekit.ignored");
}

}  // namespace
}  // namespace stemma
