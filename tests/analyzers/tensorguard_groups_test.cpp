// Do families follow the bases, and does the control go the same way by itself?
#include "analyzers/tensorguard_groups.hpp"

#include <gtest/gtest.h>

namespace stemma {
namespace {

/// Features that lie around `weights`, and a control around `control`, apart by `step`.
Fingerprint model_at(const std::string& id, double weights, double control, const std::string& base = "",
                     double step = 0) {
  Fingerprint model;
  model.id = id;
  model.guard.emplace();
  for (std::size_t i = 0; i + 1 < guard_features.size(); ++i) {
    model.guard->value[i] = weights + step * static_cast<double>(i % 3);
    model.guard->control[i] = control + step * static_cast<double>(i % 2);
  }
  if (!base.empty()) model.declared = {{.base = base, .relation = "finetune", .source = "sheet"}};
  return model;
}

std::vector<Fingerprint> corpus() {
  return {model_at("oak", 0, 0),
          model_at("oak-1", 0.1, 0.1, "oak", 0.01),
          model_at("oak-2", 0.2, 10.1, "oak", 0.02),  // the control puts it with elm
          model_at("elm", 10, 10),
          model_at("elm-1", 10.1, 9.9, "elm", 0.01),
          model_at("elm-2", 0.3, 9.8, "elm", 0.02),   // the weights put it with oak
          model_at("stray", 5.2, 0.1, "ash", 0.01)};  // ash is not here
}

TEST(GuardGroups, DeclaredBasesAreCentresAndBothSidesAreCounted) {
  const auto models = corpus();
  const auto groups = guard_groups(models);
  ASSERT_TRUE(groups);
  EXPECT_EQ(groups->bases, (std::vector<std::string>{"oak", "elm"}));
  EXPECT_EQ(groups->declared, 4U);
  EXPECT_EQ(groups->agreeing, 3U);
  EXPECT_EQ(groups->control_agreeing, 3U);
  EXPECT_EQ(groups->members[2].weights.family, "oak");
  EXPECT_EQ(groups->members[2].control.family, "elm");
  EXPECT_EQ(groups->members[5].weights.nearest, "oak");
  EXPECT_TRUE(groups->members[0].is_base);
  EXPECT_EQ(groups->members[0].weights.distance, 0);
  EXPECT_EQ(groups->members[6].declared, "");
  EXPECT_GT(groups->silhouette, 0.5);
}

TEST(GuardGroups, ReferencesComeBeforeDeclarations) {
  auto models = corpus();
  models[1].use = models[6].use = Use::reference;
  const auto groups = guard_groups(models);
  ASSERT_TRUE(groups);
  EXPECT_EQ(groups->bases, (std::vector<std::string>{"oak-1", "stray"}));
  EXPECT_EQ(groups->declared, 0U);
}

TEST(GuardGroups, OneBaseIsNoFamily) {
  auto models = corpus();
  models.resize(3);
  EXPECT_FALSE(guard_groups(models));
  models.clear();
  EXPECT_FALSE(guard_groups(models));
  models = corpus();
  for (std::size_t i = 3; i < models.size(); ++i) models[i].guard.reset();
  EXPECT_FALSE(guard_groups(models)) << "elm has no response";
}

}  // namespace
}  // namespace stemma
