// Which class does each outcome of the match of neurons get, at the very edge of every limit?
#include "analyzers/judge_neurons.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "analyzers/neuron_evidence.hpp"
#include "analyzers/thresholds.hpp"
#include "analyzers/verdict.hpp"

namespace stemma {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Six blocks of each, all of which agree; attention as alike as neurons.
NeuronAgreement related() {
  NeuronAgreement out;
  out.anchors = 128;
  out.blocks_a = out.blocks_b = out.partners = out.compared_blocks = out.agreeing_blocks = 6;
  out.telling = true;
  out.share = 0.9;
  out.likeness = 0.5;
  out.attention = 0.5;
  out.log_p_places = -100;
  out.log_p_robust = -200;
  return out;
}

struct Judged {
  bool said = false;
  Pair pair;
};

Judged judged(const NeuronAgreement& found, double level_places, double level_robust) {
  Judged out;
  out.said = judge_neurons(
      {.found = &found, .log_level_places = level_places, .log_level_robust = level_robust, .tests = 56},
      out.pair);
  return out;
}
Judged judged(const NeuronAgreement& found) { return judged(found, -90, -190); }

const double limit = std::log(0.01);
const double above = std::nextafter(limit, 0);

TEST(JudgeNeurons, ADescendantIsOfTheSameLineage) {
  const auto [said, pair] = judged(related());
  EXPECT_TRUE(said);
  EXPECT_EQ(pair.relation, Relation::same_lineage);
  EXPECT_EQ(pair.reason, "");
  EXPECT_NEAR(pair.log10_p, -200 / std::numbers::ln10, 1e-12);
  EXPECT_NEAR(pair.log10_p_corrected, -190 / std::numbers::ln10, 1e-12);
  EXPECT_THAT(pair.sentence, HasSubstr("corrected for 56 tests"));
  EXPECT_THAT(pair.sentence, HasSubstr("grade M"));
  EXPECT_TRUE(decided_by_neurons(pair));
}

TEST(JudgeNeurons, EitherTestIsEnoughAtOnePercent) {
  EXPECT_EQ(judged(related(), limit, 0).pair.relation, Relation::same_lineage);
  EXPECT_EQ(judged(related(), 0, limit).pair.relation, Relation::same_lineage);
  EXPECT_EQ(judged(related(), above, above).pair.relation, Relation::no_evidence);
  EXPECT_THAT(judged(related(), -100, -50).pair.sentence, HasSubstr("grade G"));
}

TEST(JudgeNeurons, AgreementOfNoBlockIsNone) {
  NeuronAgreement found = related();
  found.agreeing_blocks = 0;
  EXPECT_EQ(judged(found, 0, -500).pair.relation, Relation::no_evidence);
  // Places need none of it, but then only a part is related.
  EXPECT_EQ(judged(found, -500, 0).pair.relation, Relation::partial_lineage);
}

TEST(JudgeNeurons, HalfOfTheSmallerModelIsTheWhole) {
  NeuronAgreement found = related();
  found.blocks_a = 40;
  for (const auto& [agreeing, relation] : {std::pair(3U, Relation::same_lineage),
                                           {2U, Relation::partial_lineage},
                                           {1U, Relation::partial_lineage}}) {
    found.agreeing_blocks = agreeing;
    EXPECT_EQ(judged(found).pair.relation, relation) << agreeing;
  }
  EXPECT_THAT(judged(found).pair.sentence, HasSubstr("agree in 1 of 6 MLPs, "));
  // What was not compared does not make a part of a whole.
  found.blocks_b = 40, found.agreeing_blocks = 3;
  EXPECT_EQ(judged(found).pair.relation, Relation::same_lineage);
  EXPECT_THAT(judged(found).pair.sentence, HasSubstr("agree in 3 of 6 MLPs that were compared, "));
}

TEST(JudgeNeurons, AnotherRuleHasOtherEdges) {
  NeuronAgreement found = related();
  const auto class_by = [&](const LineageRule& rule, double level) {
    Pair pair;
    judge_neurons(
        {.found = &found, .log_level_places = level, .log_level_robust = 0, .tests = 56, .rule = rule}, pair);
    return pair.relation;
  };
  EXPECT_EQ(class_by({.level = 1e-6}, std::log(1e-6)), Relation::same_lineage);
  EXPECT_EQ(class_by({.level = 1e-6}, std::nextafter(std::log(1e-6), 0)), Relation::no_evidence);
  EXPECT_EQ(class_by({.level = 0.2}, std::log(0.2)), Relation::same_lineage);
  found.compared_blocks = 20, found.agreeing_blocks = 11;
  EXPECT_EQ(class_by({.layers_share = 0.55}, -50), Relation::same_lineage) << "11 of 20 are 0.55";
  found.agreeing_blocks = 10;
  EXPECT_EQ(class_by({.layers_share = 0.55}, -50), Relation::partial_lineage);
  EXPECT_EQ(class_by({.layers_share = 1}, -50), Relation::partial_lineage);
  found.agreeing_blocks = 1;
  EXPECT_EQ(class_by({.layers_share = 0}, -50), Relation::same_lineage);
}

TEST(JudgeNeurons, KinshipTellsASharedStart) {
  NeuronAgreement found = related();
  found.likeness = 1;
  const auto class_at = [&](double kinship) {
    found.attention = kinship;
    const Pair pair = judged(found).pair;
    EXPECT_TRUE(decided_by_neurons(pair));
    return std::pair(pair.relation, pair.reason);
  };
  const std::pair descent(Relation::same_lineage, std::string()), start(Relation::shared_init, std::string()),
      open(Relation::abstain, std::string("shared_init_undecided"));
  const double descends = thresholds::kinship_of_descent, started = thresholds::kinship_of_shared_start;
  EXPECT_EQ(class_at(descends), descent);
  EXPECT_EQ(class_at(std::nextafter(descends, 0)), open);
  EXPECT_EQ(class_at(std::nextafter(started, 1)), open);
  EXPECT_EQ(class_at(started), start);
  EXPECT_EQ(class_at(-0.3), start);
  EXPECT_EQ(class_at(1.2), descent);
  EXPECT_EQ(class_at(missing), open);
  found.likeness = missing;
  EXPECT_EQ(class_at(0.9), open);
}

TEST(JudgeNeurons, OnlyRelativesHaveAnOrder) {
  NeuronAgreement found = related();
  for (const int layer : {0, 1}) found.map.matches.push_back({{layer, -1, 10}, {layer, -1, 10}});
  found.map.only_a = {{2, -1, 10}};
  found.map.signs = {{OrderSign::lacks_layers, true}};
  const auto said = [&] {
    Pair pair;
    judge_neurons({&found, -90, -190, 56, "one", "other"}, pair);
    return pair;
  };
  EXPECT_EQ(said().direction, 1);
  EXPECT_THAT(said().sentence,
              HasSubstr("layer 2 of one matches nothing of other. As other lacks layers of one, "
                        "other comes from one"));
  found.map.turn();
  EXPECT_EQ(said().direction, -1);
  found.agreeing_blocks = 1;
  EXPECT_EQ(std::pair(said().relation, said().direction), std::pair(Relation::partial_lineage, -1));
  found.map.signs.push_back({OrderSign::lacks_neurons, true});
  EXPECT_EQ(said().direction, 0);
  EXPECT_THAT(said().sentence, HasSubstr("signs disagree"));
  found.map.signs.pop_back();
  for (const double attention : {0.1, 0.4}) {  // of a likeness of 0.5: a shared start, and undecided
    found.attention = attention;
    EXPECT_EQ(said().direction, 0);
    EXPECT_THAT(said().sentence, Not(HasSubstr("comes from")));
    EXPECT_THAT(said().sentence, HasSubstr("matches nothing"));
  }
}

TEST(JudgeNeurons, WithoutPowerNothingIsSaidButWhatIsFoundIs) {
  NeuronAgreement found = related();
  found.telling = false;
  Judged weak = judged(found, 0, 0);
  EXPECT_FALSE(weak.said);
  EXPECT_EQ(weak.pair.relation, Relation::abstain);
  EXPECT_EQ(weak.pair.sentence, "");
  EXPECT_EQ(judged(found).pair.relation, Relation::same_lineage);
  found.telling = true;
  const Judged strong = judged(found, 0, 0);
  EXPECT_TRUE(strong.said);
  EXPECT_EQ(strong.pair.relation, Relation::no_evidence);
  EXPECT_THAT(strong.pair.sentence, HasSubstr("128 tokens"));
  EXPECT_FALSE(decided_by_neurons(strong.pair));
}

TEST(JudgeNeurons, AnAbstentionSaysNothing) {
  NeuronAgreement found = related();
  found.abstain = "no_anchor";
  const auto [said, pair] = judged(found);
  EXPECT_FALSE(said);
  EXPECT_TRUE(std::isnan(pair.log10_p));
  EXPECT_TRUE(std::isnan(pair.log10_p_corrected));
  EXPECT_FALSE(decided_by_neurons(pair));
}

TEST(JudgeNeurons, AmongOtherRules) {
  // Two models with 9 layers of which content says nothing.
  Fingerprint a, b;
  a.id = "a", b.id = "b";
  NeuronAgreement found = related();
  const NeuronStanding standing{&found, -90, -190, 2};
  Pair pair;
  judge(a, b, pair, &standing);
  EXPECT_EQ(pair.relation, Relation::same_lineage);
  found.abstain = "no_anchor";
  found.anchors = 7;
  judge(a, b, pair, &standing);
  EXPECT_EQ(std::pair(pair.relation, pair.reason), std::pair(Relation::abstain, std::string("no_anchor")));
  EXPECT_THAT(pair.sentence, HasSubstr("7 tokens"));
  judge(a, b, pair);
  EXPECT_NE(pair.relation, Relation::same_lineage);
  // Untrained weights have no history, whatever they share.
  found = related();
  b.intrinsic.emplace();
  b.intrinsic->random_init = true;
  judge(a, b, pair, &standing);
  EXPECT_EQ(pair.reason, "random_init");
}

TEST(NeuronEvidence, OfModelsThatWereNotSketched) {
  Fingerprint a, b;
  const NeuronAgreement found = compare_neurons_of(a, b);
  EXPECT_EQ(found.abstain, "unsupported");
  const auto rows = neuron_evidence(found, a, b);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].abstain, "unsupported");
  EXPECT_TRUE(std::isnan(rows[0].score));
}

TEST(NeuronEvidence, RowsSayWhereAndHowStrongly) {
  Fingerprint a, b;
  a.neurons.emplace(), b.neurons.emplace();
  for (const int layer : {0, 1, 2, 3}) {
    NeuronBlock block;
    block.layer = layer;
    if (layer != 2) b.neurons->blocks.push_back(block);
    block.expert = 5;
    a.neurons->blocks.push_back(block);
  }
  for (NeuronBlock& block : b.neurons->blocks) block.expert = block.layer == 1 ? 5 : -1;
  NeuronAgreement found = related();
  found.fixed = 12;
  found.map.matches = {{{1, 5, 9}, {1, 5, 9}}, {{3, 5, 9}, {3, -1, 9}}};
  found.map.only_a = {{0, 5, 9}, {2, 5, 9}};
  found.map.only_b = {{0, -1, 9}};
  found.blocks = {{{.kept = 64, .agreeing = 16}, 1, 1}, {{.kept = 64, .agreeing = 64}, 3, 2}};
  const auto rows = neuron_evidence(found, a, b);
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows[0].role, "");
  EXPECT_EQ(rows[0].grade, Grade::M);
  EXPECT_THAT(rows[0].detail_json, HasSubstr(R"("map":"1.5:1.5 3.5:3","only_a":"0.5 2.5","only_b":"0")"));
  EXPECT_NEAR(rows[0].log10_p, -200 / std::numbers::ln10, 1e-12);
  EXPECT_EQ(rows[1].role, "places");
  EXPECT_EQ(rows[1].score, 12);
  EXPECT_EQ(rows[1].grade, Grade::G);
  EXPECT_EQ(rows[2].role, "attention");
  EXPECT_EQ(rows[2].score, 1);
  EXPECT_EQ(rows[3].role, "layers/1/experts/5");
  EXPECT_EQ(rows[3].score, 0.25);
  EXPECT_EQ(rows[4].role, "layers/3/experts/5 and layers/3");
  found.sorted = true;
  EXPECT_EQ(neuron_evidence(found, a, b)[1].abstain, "sorted_neurons");
}

}  // namespace
}  // namespace stemma
