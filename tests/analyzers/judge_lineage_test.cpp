// When do shared neurons give a class, and when do they leave a pair as it stands?
#include "analyzers/judge_lineage.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "analyzers/verdict.hpp"

namespace stemma {
namespace {

/// Six layers whose places say so much, of two cosines.
AlignedNeurons agreeing_neurons(double log_p_places, double kappa, double bulk = 0.5) {
  AlignedNeurons found;
  found.layers.resize(6);
  found.read = 6;
  found.fixed = 1000, found.labelled = 2000;
  found.log_p_places = log_p_places;
  found.share = 0.3;
  found.agreeing_layers = 6;
  found.bulk = bulk;
  found.spikes = kappa * bulk;
  found.control = {{.kept = 100, .agreeing = 1}, "control", {}, {}};
  return found;
}

OriginTrace trace_of(const std::string& label, const std::string& stream = "identity",
                     const std::string& abstain = "") {
  OriginTrace trace;
  trace.label = label, trace.stream = stream, trace.abstain = abstain;
  trace.layers = trace.agreeing = 6;
  return trace;
}

Pair judged(const AlignedNeurons& found, const OriginTrace& trace = trace_of("FULL_RANK_CLOSE")) {
  Pair pair;
  pair.reason = "no_valid_null";
  WeightFindings weights;
  weights.origin = trace;
  weights.content = {.weights = 10};
  weights.neurons = found;
  judge_weights(weights, true, pair);
  return pair;
}

TEST(JudgeLineage, KappaTellsDescentFromASharedStart) {
  const Pair child = judged(agreeing_neurons(-1000, 1.01));
  EXPECT_EQ(child.relation, Relation::same_lineage);
  EXPECT_EQ(child.reason, "");
  EXPECT_EQ(child.direction, 0);
  EXPECT_NE(child.sentence.find("p = 10^-434.0 (grade G"), std::string::npos) << child.sentence;
  EXPECT_NE(child.sentence.find("calibrated on small models only"), std::string::npos) << child.sentence;
  EXPECT_EQ(judged(agreeing_neurons(-1000, 0.95)).relation, Relation::same_lineage);
  EXPECT_EQ(judged(agreeing_neurons(-1000, 0.7)).relation, Relation::shared_init);
  const Pair sibling = judged(agreeing_neurons(-1000, 0.4));
  EXPECT_EQ(sibling.relation, Relation::shared_init);
  EXPECT_TRUE(sibling.sentence.starts_with("Consistent with a shared initialisation and separate training"))
      << sibling.sentence;
}

TEST(JudgeLineage, WhatKappaDoesNotTellStaysOpen) {
  for (const AlignedNeurons& found :
       {agreeing_neurons(-1000, 0.75), agreeing_neurons(-1000, 0.91), agreeing_neurons(-1000, 1, 0.09),
        agreeing_neurons(-1000, 0.2, 0.09), agreeing_neurons(-1000, missing)}) {
    const Pair pair = judged(found);
    EXPECT_EQ(pair.relation, Relation::abstain);
    EXPECT_EQ(pair.reason, "shared_init_undecided");
  }
}

TEST(JudgeLineage, EveryPairAndBothTestsArePaidFor) {
  const double level = std::log(0.01);
  EXPECT_EQ(judged(agreeing_neurons(level - 0.70, 1)).relation, Relation::same_lineage)
      << "less than ln 2 to pay";
  EXPECT_EQ(judged(agreeing_neurons(level - 0.69, 1)).reason, "no_valid_null");
  AlignedNeurons many = agreeing_neurons(level - 0.70, 1);
  many.pairs = 2;
  EXPECT_EQ(judged(many).reason, "no_valid_null");
}

TEST(JudgeLineage, TwoMatchingsNeedATenthInHalfOfTheLayers) {
  AlignedNeurons found = agreeing_neurons(0, 1);
  found.log_p_robust = -500;
  const Pair pair = judged(found);
  EXPECT_EQ(pair.relation, Relation::same_lineage);
  EXPECT_NE(pair.sentence.find("grade M"), std::string::npos) << pair.sentence;
  found.agreeing_layers = 2;
  EXPECT_EQ(judged(found).relation, Relation::abstain);
  found.log_p_places = -1000;
  found.sorted = true;
  EXPECT_EQ(judged(found).reason, "no_valid_null") << "places of neurons that somebody sorted";
}

TEST(JudgeLineage, AnotherRuleHasOtherEdges) {
  const auto class_by = [](const LineageRule& rule, AlignedNeurons found) {
    found.rule = rule;
    return judged(found).relation;
  };
  const double paid = std::log(1e-6) - std::log(2);  // of two tests the better one
  EXPECT_EQ(class_by({.level = 1e-6}, agreeing_neurons(paid - 0.01, 1)), Relation::same_lineage);
  EXPECT_EQ(class_by({.level = 1e-6}, agreeing_neurons(paid + 0.01, 1)), Relation::abstain);
  EXPECT_EQ(class_by({.level = 1e-5}, agreeing_neurons(paid + 0.01, 1)), Relation::same_lineage);
  AlignedNeurons robust = agreeing_neurons(0, 1);
  robust.log_p_robust = -500;
  robust.agreeing_layers = 4;  // of six
  EXPECT_EQ(class_by({.layers_share = 0.66}, robust), Relation::same_lineage);
  EXPECT_EQ(class_by({.layers_share = 0.67}, robust), Relation::abstain);
  robust.agreeing_layers = 0;
  EXPECT_EQ(class_by({.layers_share = 0}, robust), Relation::same_lineage);
}

TEST(JudgeLineage, UnlikeLayersThatAgreeTakeTheWordAway) {
  AlignedNeurons found = agreeing_neurons(-1000, 1);
  found.control.agreeing = 10;
  EXPECT_FALSE(inconsistent_with_independence(found));
  EXPECT_EQ(judged(found).reason, "no_valid_null");
}

TEST(JudgeLineage, CircuitsOfStrangersContradict) {
  const OriginTrace strangers = trace_of("UNRELATED_HERE"), lost = trace_of("UNRELATED_HERE", "unaligned");
  EXPECT_EQ(judged(agreeing_neurons(-1000, 1), strangers).reason, "conflicting");
  EXPECT_EQ(judged(agreeing_neurons(-1000, 0.75), strangers).reason, "conflicting");
  EXPECT_EQ(judged(agreeing_neurons(-1000, 0.4), strangers).relation, Relation::shared_init)
      << "nothing to contradict";
  EXPECT_EQ(judged(agreeing_neurons(-1000, 1), lost).relation, Relation::same_lineage)
      << "in coordinates that nobody knows circuits are those of strangers anyway";
  EXPECT_EQ(judged(agreeing_neurons(-1, 1), strangers).relation, Relation::no_evidence);
}

TEST(JudgeLineage, OtherReadingsComeFirstOrNot) {
  OriginTrace low = trace_of("LOW_RANK");
  low.median = 16;
  EXPECT_EQ(judged(agreeing_neurons(-1000, 1), low).relation, Relation::low_rank_related);
  EXPECT_FALSE(lineage_in_question(low, {.weights = 10}));
  EXPECT_TRUE(lineage_in_question(trace_of("FULL_RANK_CLOSE"), {.weights = 10}));
  EXPECT_FALSE(lineage_in_question(trace_of("IDENTICAL"), {.weights = 10, .equal = 10}));
  EXPECT_FALSE(lineage_in_question(trace_of("IDENTICAL"), {.weights = 10, .equal = 3, .rounded = 7}));
  for (const char* reason : {"unaligned", "mixed", "dead_zone", "unreadable_quantisation"})
    EXPECT_EQ(judged(agreeing_neurons(-1000, 1), trace_of("MIXED", "unaligned", reason)).relation,
              Relation::same_lineage)
        << reason;
  EXPECT_EQ(judged(agreeing_neurons(-1000, 1), trace_of("MIXED", "identity", "control_failed")).reason,
            "control_failed");
  OriginTrace codes = trace_of("", "identity", "unreadable_quantisation");
  codes.obstacle = "attn.v is stored as I8";
  EXPECT_EQ(judged(agreeing_neurons(-1000, 1), codes).reason, "unreadable_quantisation");
  EXPECT_EQ(judged({}).reason, "no_valid_null") << "nobody asked";
}

}  // namespace
}  // namespace stemma
