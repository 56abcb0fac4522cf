// Do declarations meet what the weights say?
#include "analyzers/verdict.hpp"

#include <gtest/gtest.h>

namespace stemma {
namespace {

Fingerprint model(const std::string& id, std::vector<std::string> bases = {}) {
  Fingerprint out;
  out.id = id;
  for (std::string& base : bases) out.declared.push_back({std::move(base), "finetune", "test"});
  return out;
}

Pair pair_of(std::uint32_t a, std::uint32_t b, Relation relation, double curve = missing) {
  Pair pair;
  pair.a = a;
  pair.b = b;
  pair.relation = relation;
  if (relation == Relation::abstain) pair.reason = "no_valid_null";
  pair.curve_score = curve;
  return pair;
}

TEST(Declaration, SupportedDirectlyOrThroughACopy) {
  const std::vector<Fingerprint> models = {model("base"), model("child", {"base"}), model("mirror", {"base"}),
                                           model("grandchild", {"base"})};
  const std::vector<Pair> pairs = {
      pair_of(0, 1, Relation::same_lineage), pair_of(0, 2, Relation::exact_copy),
      pair_of(0, 3, Relation::no_evidence),  pair_of(1, 2, Relation::abstain),
      pair_of(1, 3, Relation::abstain),      pair_of(2, 3, Relation::same_lineage)};
  const auto verdicts = model_verdicts(models, pairs);
  EXPECT_EQ(verdicts[0].declaration, Declaration::none);
  EXPECT_EQ(verdicts[0].relation, Relation::exact_copy);
  EXPECT_EQ(verdicts[0].relative, "mirror");
  EXPECT_EQ(verdicts[0].others, std::vector<std::string>{"child:SAME_LINEAGE"});
  EXPECT_EQ(verdicts[1].declaration, Declaration::supported);
  EXPECT_EQ(verdicts[3].declaration, Declaration::supported);  // reached through the mirror
}

TEST(Declaration, FalseClaimIsOtherFoundAndNotHeldAgainstTheOther) {
  const std::vector<Fingerprint> models = {model("birch"), model("cedar"), model("cedar-code", {"birch"})};
  const std::vector<Pair> pairs = {pair_of(0, 1, Relation::no_evidence), pair_of(0, 2, Relation::no_evidence),
                                   pair_of(1, 2, Relation::same_lineage)};
  const auto verdicts = model_verdicts(models, pairs);
  EXPECT_EQ(verdicts[2].declaration, Declaration::other_found);
  EXPECT_EQ(verdicts[2].relative, "cedar");
  EXPECT_EQ(verdicts[1].declaration, Declaration::none);
  EXPECT_EQ(verdicts[0].declaration, Declaration::none);
  EXPECT_EQ(verdicts[0].relative, "");
}

TEST(Declaration, UndeclaredNotSupportedAndUntestable) {
  const std::vector<Fingerprint> models = {model("a"), model("b"), model("c", {"a"}), model("d", {"absent"}),
                                           model("e", {"a"})};
  const std::vector<Pair> pairs = {pair_of(0, 1, Relation::same_lineage),
                                   pair_of(0, 2, Relation::no_evidence), pair_of(0, 4, Relation::abstain)};
  const auto verdicts = model_verdicts(models, pairs);
  EXPECT_EQ(verdicts[0].declaration, Declaration::undeclared);
  EXPECT_EQ(verdicts[1].declaration, Declaration::undeclared);
  EXPECT_EQ(verdicts[2].declaration, Declaration::not_supported);
  EXPECT_EQ(verdicts[3].declaration, Declaration::untestable);
  EXPECT_NE(verdicts[3].declaration_reason.find("absent"), std::string::npos);
  EXPECT_EQ(verdicts[4].declaration, Declaration::untestable);
  EXPECT_NE(verdicts[4].declaration_reason.find("no_valid_null"), std::string::npos);
}

TEST(Declaration, ASiblingIsNoContradictionAndAMergeHidesNone) {
  // x declares birch and cedar; twin-1 and twin-2 declare birch and are copies of each other.
  const std::vector<Fingerprint> models = {model("birch"),
                                           model("cedar"),
                                           model("x", {"birch", "cedar"}),
                                           model("twin-1", {"birch"}),
                                           model("twin-2", {"birch"}),
                                           model("y", {"birch"})};
  const std::vector<Pair> pairs = {pair_of(0, 3, Relation::abstain), pair_of(3, 4, Relation::exact_copy),
                                   pair_of(0, 5, Relation::no_evidence),
                                   pair_of(1, 5, Relation::same_lineage)};
  const auto verdicts = model_verdicts(models, pairs);
  EXPECT_EQ(verdicts[3].declaration, Declaration::untestable);
  EXPECT_EQ(verdicts[5].declaration, Declaration::other_found);
}

TEST(Declaration, SeveralBasesTheWorstDecides) {
  const std::vector<Fingerprint> models = {model("a"), model("b"), model("merge", {"a", "b"})};
  std::vector<Pair> pairs = {pair_of(0, 1, Relation::no_evidence), pair_of(0, 2, Relation::same_lineage),
                             pair_of(1, 2, Relation::same_lineage)};
  EXPECT_EQ(model_verdicts(models, pairs)[2].declaration, Declaration::supported);
  pairs[2].relation = Relation::abstain;
  EXPECT_EQ(model_verdicts(models, pairs)[2].declaration, Declaration::untestable);
}

TEST(Verdict, WhoeverLostInformationCameLater) {
  const std::vector<Fingerprint> models = {model("parent"), model("rounded")};
  Pair pair = pair_of(0, 1, Relation::reencoded_copy);
  pair.direction = 1;  // b comes from a
  const auto verdicts = model_verdicts(models, std::span(&pair, 1));
  EXPECT_EQ(verdicts[0].direction, -1);
  EXPECT_EQ(verdicts[1].direction, 1);
  for (const ModelVerdict& v : verdicts)
    EXPECT_NE(v.declaration_reason.find("parent came first."), std::string::npos) << v.declaration_reason;
  pair.relation = Relation::same_lineage;
  for (const ModelVerdict& v : model_verdicts(models, std::span(&pair, 1)))
    EXPECT_NE(v.declaration_reason.find("parent, or a relative that is like it, came first."),
              std::string::npos)
        << v.declaration_reason;
  pair.direction = 0;
  EXPECT_NE(model_verdicts(models, std::span(&pair, 1))[0].declaration_reason.find("not known"),
            std::string::npos);
}

TEST(Verdict, AModelThatMetNobodyAbstainsAndSaysWhy) {
  const std::vector<Fingerprint> models = {model("alone", {"absent"})};
  const auto verdicts = model_verdicts(models, {});
  EXPECT_EQ(verdicts[0].relation, Relation::abstain);
  EXPECT_EQ(verdicts[0].reason, "not_compared");
  EXPECT_EQ(verdicts[0].declaration, Declaration::untestable);
}

TEST(Verdict, NearestByCurveIsARankingOnly) {
  const std::vector<Fingerprint> models = {model("a"), model("b"), model("c")};
  const std::vector<Pair> pairs = {pair_of(0, 1, Relation::abstain, 0.91),
                                   pair_of(0, 2, Relation::abstain, 0.99), pair_of(1, 2, Relation::abstain)};
  const auto verdicts = model_verdicts(models, pairs, published_background());
  EXPECT_EQ(verdicts[0].nearest_by_curve, "c");
  EXPECT_EQ(verdicts[0].nearest_score, 0.99);
  EXPECT_EQ(verdicts[0].nearest_rank.n, 3486U);  // models of no layers
  EXPECT_NEAR(verdicts[0].nearest_rank.percentile, 99.7, 0.1);
  EXPECT_EQ(model_verdicts(models, pairs)[0].nearest_rank.basis, "");
  EXPECT_EQ(verdicts[0].relation, Relation::abstain);
  EXPECT_EQ(verdicts[0].relative, "");
  EXPECT_EQ(verdicts[1].nearest_by_curve, "a");
}

}  // namespace
}  // namespace stemma
