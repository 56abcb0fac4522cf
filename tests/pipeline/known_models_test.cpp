// Do models of other archives stand among those of a run, and are they compared with these alone?
#include "pipeline/known_models.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/config/run_config.hpp"
#include "pipeline/comparison.hpp"
#include "tests/pipeline/fake_models.hpp"

namespace stemma {
namespace {

using testing::ElementsAre;

SurveyedModel known(const std::string& id) {
  SurveyedModel model;
  model.request.id = id;
  model.known = std::make_shared<Fingerprint>();
  return model;
}

TEST(KnownModels, StandInOrderAndTakeOverClaimsThatNobodyElseAnswers) {
  std::vector<SurveyedModel> models = {test::fake_model("birch", 1, 8), test::fake_model("child", 1, 8)};
  models[1].request.declared = {{.base = "aspen"}, {.base = "birch"}, {.base = "cedar"}, {.base = "nobody"}};
  const std::vector<SurveyedModel> others = {known("aspen@old"), known("birch@old"), known("cedar@new"),
                                             known("cedar@old")};
  add_known(models, others);
  std::vector<std::string> ids, bases;
  for (const SurveyedModel& model : models) ids.push_back(model.request.id);
  EXPECT_THAT(ids, ElementsAre("aspen@old", "birch", "birch@old", "cedar@new", "cedar@old", "child"));
  for (const Claim& claim : models.back().request.declared) bases.push_back(claim.base);
  EXPECT_THAT(bases, ElementsAre("aspen@old", "birch", "cedar", "nobody"))
      << "own models come first, and of two archives none";
}

TEST(KnownModels, AreNotComparedAmongThemselves) {
  std::vector<Fingerprint> models(4);
  for (std::size_t m = 0; m < models.size(); ++m) models[m].id = std::vector{"a@old", "b", "b@old", "c"}[m];
  models[0].use = models[2].use = Use::reference;
  ComparisonPlan plan{.known = {"a@old", "b@old"}};
  EXPECT_THAT(chosen_pairs(models, plan),
              ElementsAre(testing::Pair(0U, 1U), testing::Pair(0U, 3U), testing::Pair(1U, 2U),
                          testing::Pair(1U, 3U), testing::Pair(2U, 3U)));
  plan.which = ComparisonPlan::Which::reference;
  EXPECT_THAT(chosen_pairs(models, plan), ElementsAre(testing::Pair(0U, 1U), testing::Pair(0U, 3U),
                                                      testing::Pair(1U, 2U), testing::Pair(2U, 3U)));
  plan.which = ComparisonPlan::Which::listed;
  plan.listed = {{"b@old", "a@old"}, {"c", "a@old"}};
  EXPECT_THAT(chosen_pairs(models, plan), ElementsAre(testing::Pair(0U, 3U)));
}

TEST(LineageRule, IsByDefaultThatOfAConfiguration) {
  const RunConfig::Verdicts verdicts;
  const LineageRule rule;
  EXPECT_EQ(rule.level, verdicts.fdr);
  EXPECT_EQ(rule.share, verdicts.min_share);
  EXPECT_EQ(rule.layers_share, verdicts.min_layers_share);
}

}  // namespace
}  // namespace stemma
