// Whom do patterns name, what is refused, and which references stand for which model?
#include "pipeline/independent_models.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analyzers/json_text.hpp"
#include "io/config/problems.hpp"

namespace stemma {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Fingerprint model(const std::string& id, int layers = 8, Use use = Use::subject) {
  Fingerprint out;
  out.id = id;
  out.use = use;
  out.layers = layers;
  out.intrinsic.emplace();
  for (int i = 0; i < layers; ++i) out.intrinsic->layer.push_back(i);
  return out;
}

Fingerprint child(const std::string& id, const std::string& base, Use use = Use::subject) {
  Fingerprint out = model(id, 8, use);
  out.declared.push_back({base, "finetune", "test"});
  return out;
}

std::string complaint(const std::vector<Fingerprint>& models, const std::vector<std::string>& patterns) {
  try {
    check_independent(models, patterns);
  } catch (const ConfigProblems& problems) {
    return problems.what();
  }
  return "";
}

TEST(IndependentModels, AreNamedByIdsPatternsAndUse) {
  const std::vector<Fingerprint> models = {model("a"), model("c1"), model("c2", 8, Use::background),
                                           model("d")};
  EXPECT_THAT(independent_models(models, {}), ElementsAre(2));
  EXPECT_THAT(independent_models(models, {"c*"}), ElementsAre(1, 2));
  EXPECT_THAT(independent_models(models, {"c?", "d"}), ElementsAre(1, 2, 3));
  EXPECT_EQ(complaint(models, {"c*", "d"}), "");
}

TEST(IndependentModels, DoNotStandInDeclarations) {
  const std::vector<Fingerprint> models = {
      model("base"),          child("kid", "base"),       child("one", "absent"),
      child("two", "absent"), child("wild", "elsewhere"), child("wrong", "base", Use::background)};
  EXPECT_THAT(complaint(models, {"base"}),
              HasSubstr("base is stated to be independent of all other models, but "
                        "declarations join it with kid. Leave it out"));
  EXPECT_THAT(complaint(models, {"kid"}), HasSubstr("declarations join it with base"));
  EXPECT_THAT(complaint(models, {"one"}), HasSubstr("declarations join it with two"));
  EXPECT_EQ(complaint(models, {"wild"}), "");  // its base is not among the models
  EXPECT_THAT(independent_models(models, {"*"}), ElementsAre(4));
}

/// Of two archives: what a claim means by the name is open, so neither is independent of the other.
TEST(IndependentModels, ModelsOfOneNameAreJoined) {
  const std::vector<Fingerprint> models = {model("same"), model("alone"), child("kid", "same"),
                                           model("same")};
  EXPECT_THAT(complaint(models, {"same"}), HasSubstr("declarations join it with"));
  EXPECT_THAT(independent_models(models, {"*"}), ElementsAre(1));
  EXPECT_THAT(independent_models(std::vector{model("twice"), model("twice")}, {"*"}), ElementsAre());
}

TEST(IndependentModels, UnknownNamesAreRefusedWithASuggestion) {
  const std::vector<Fingerprint> models = {model("control-1"), model("llama")};
  const std::string both = complaint(models, {"contrl-1", "x*"});
  EXPECT_THAT(both,
              HasSubstr("compare.independent: contrl-1 names none of the 2 models. Did you mean control-1?"));
  EXPECT_THAT(both, HasSubstr("x* names none of the 2 models"));
}

/// Corpus: a and b of 8 layers, c of 9; references of 8 layers, and two of 9.
class References : public testing::Test {
 protected:
  References() {
    for (int i = 0; i < 20; ++i) references_.push_back(model("r" + std::to_string(100 + i)));
    references_.push_back(model("r900", 9));
    references_.push_back(model("r901", 9));
  }
  std::vector<Evidence> rows(std::uint32_t a, std::uint32_t b, double score) {
    std::vector<const Fingerprint*> known;
    for (const Fingerprint& reference : references_) known.push_back(&reference);
    const std::vector<std::string> methods = {"intrinsic_fingerprint"};
    // Scores rise with the reference, and lie higher for model 1.
    const ReferenceScores scores(models_, known, std::vector<bool>(models_.size(), true), methods,
                                 [&](std::string_view, const Fingerprint& reference, std::size_t m) {
                                   return std::stod(reference.id.substr(1)) / 1000 + (m == 1 ? 0.5 : 0);
                                 });
    Pair pair;
    pair.a = a;
    pair.b = b;
    Evidence& headline = pair.evidence.emplace_back();
    headline.method = "intrinsic_fingerprint";
    headline.score = score;
    return scores.rows(pair);
  }
  std::vector<Fingerprint> models_ = {model("a"), model("b"), model("c", 9), model("r100")};
  std::vector<Fingerprint> references_;
};

TEST_F(References, TheLargerOfBothPValuesIsGiven) {
  // Beside b all 20 references reach 0.2 (0.6 and more); beside a none does (0.119 at most).
  const std::vector<Evidence> found = rows(0, 1, 0.2);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].background_n, 20U);
  EXPECT_EQ(found[0].log10_p, 0);
  EXPECT_THAT(found[0].detail_json, HasSubstr("\"candidate\":\"b\""));
  EXPECT_NEAR(rows(0, 1, 0.6095)[0].log10_p, std::log10(11.0 / 21), 1e-15);  // 0.610 to 0.619
  EXPECT_NEAR(rows(0, 1, 0.9)[0].log10_p, std::log10(1.0 / 21), 1e-15);
}

TEST_F(References, OnlyThoseOfTheSameShapeCount) {
  // For a stand 20 references of 8 layers, for c two of 9, which are too few: the 20 count.
  const std::vector<Evidence> found = rows(0, 2, 0.11);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].background_n, 20U);
  EXPECT_THAT(found[0].detail_json, HasSubstr("\"candidate\":\"c\""));
  references_.erase(references_.begin(), references_.begin() + 20);
  const std::vector<Evidence> few = rows(0, 2, 0.9005);
  ASSERT_EQ(few.size(), 1U);
  EXPECT_EQ(few[0].background_n, 2U);
  EXPECT_NEAR(few[0].log10_p, std::log10(2.0 / 3), 1e-15);
  EXPECT_THAT(few[0].detail_json, HasSubstr("\"few_references\":true"));
}

TEST_F(References, PairsWithAReferenceAndWithoutAScoreGetNone) {
  EXPECT_TRUE(rows(0, 3, 0.5).empty());
  EXPECT_TRUE(rows(0, 1, missing).empty());
  references_.clear();
  EXPECT_TRUE(rows(0, 1, 0.5).empty());
}

}  // namespace
}  // namespace stemma
