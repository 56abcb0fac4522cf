// Which class does a trace of the weights give to a pair, and which one does it never take away?
#include <gtest/gtest.h>

#include "analyzers/verdict.hpp"

namespace stemma {
namespace {

/// Six layers of one label, and as many weights of each role.
OriginTrace labelled_trace(const std::string& label, std::uint64_t rank = 0) {
  OriginTrace trace;
  trace.base = "parent";
  trace.candidate = "child";
  trace.stream = "identity";
  trace.label = label;
  trace.layers = trace.agreeing = 6;
  if (rank > 0) trace.ranks = std::vector<std::uint64_t>(6, rank), trace.median = static_cast<double>(rank);
  return trace;
}

Pair judged(const OriginTrace& trace, const Reencoding& content = {.weights = 10}, bool base_is_a = true,
            const SameFunction& function = {}) {
  Pair pair;
  pair.reason = "no_valid_null";
  const WeightFindings found{trace, content, function};
  judge_weights(found, base_is_a, pair);
  return pair;
}

TEST(JudgeWeights, LowRankNamesRanksAndRoles) {
  OriginTrace trace = labelled_trace("LOW_RANK", 16);
  trace.changed = 12, trace.low_rank = 11;
  trace.by_role = {{"attn.q", {8, 8, 7}}, {"attn.v", {8, 8}}, {"mlp.up", {4, 4, 4, 4, 4, 4}}};
  const Pair pair = judged(trace);
  EXPECT_EQ(pair.relation, Relation::low_rank_related);
  EXPECT_EQ(pair.reason, "");
  EXPECT_EQ(pair.direction, 0) << "a difference is symmetric";
  EXPECT_EQ(pair.sentence, "Differs by an update of rank 4 in mlp.up; of rank 8 in attn.q, attn.v.");
}

TEST(JudgeWeights, CircuitsSpeakWhereWeightsCannot) {
  EXPECT_EQ(judged(labelled_trace("LOW_RANK", 16)).relation, Relation::low_rank_related);
  OriginTrace few = labelled_trace("FULL_RANK_CLOSE");
  few.changed = 42, few.low_rank = 20;
  EXPECT_EQ(judged(few).relation, Relation::abstain) << "fewer than half of the weights";
}

TEST(JudgeWeights, FullRankRaisesNoClass) {
  for (const char* label : {"FULL_RANK_CLOSE", "FULL_RANK_FAR", "IDENTICAL"}) {
    const Pair pair = judged(labelled_trace(label));
    EXPECT_EQ(pair.relation, Relation::abstain) << label;
    EXPECT_EQ(pair.reason, "no_valid_null") << label;
  }
  EXPECT_EQ(judged(labelled_trace("UNRELATED_HERE")).relation, Relation::no_evidence);
}

TEST(JudgeWeights, AnAbstentionOfTheTraceComesBeforeItsLabel) {
  for (const char* reason :
       {"control_failed", "unaligned", "dead_zone", "mixed", "unreadable_quantisation", "unsupported"}) {
    OriginTrace trace = labelled_trace("LOW_RANK", 16);
    trace.abstain = reason;
    if (trace.abstain == "unsupported") trace.obstacle = "hidden is 128 in one model and 160 in the other";
    const Pair pair = judged(trace);
    EXPECT_EQ(pair.relation, Relation::abstain);
    EXPECT_EQ(pair.reason, reason);
    EXPECT_TRUE(pair.sentence.ends_with(".")) << pair.sentence;
  }
}

TEST(JudgeWeights, WhatNeuronsSayStaysWhereWeightsSayNothing) {
  for (const Relation said :
       {Relation::no_evidence, Relation::same_lineage, Relation::partial_lineage, Relation::shared_init}) {
    OriginTrace trace = labelled_trace("");
    trace.abstain = "unsupported";
    Pair pair;
    pair.relation = said;
    pair.sentence = "Neurons say so.";
    judge_weights({trace, {.weights = 10}, {}}, true, pair);
    EXPECT_EQ(pair.relation, said);
    EXPECT_EQ(pair.sentence, "Neurons say so.");
  }
  // Strangers' circuits contradict a lineage, and not a shared start.
  for (const auto& [said, then] : {std::pair(Relation::same_lineage, Relation::abstain),
                                   {Relation::partial_lineage, Relation::abstain},
                                   {Relation::shared_init, Relation::shared_init},
                                   {Relation::no_evidence, Relation::no_evidence}}) {
    Pair pair;
    pair.relation = said;
    judge_weights({labelled_trace("UNRELATED_HERE"), {.weights = 10}, {}}, true, pair);
    EXPECT_EQ(pair.relation, then);
    EXPECT_EQ(pair.reason, then == Relation::abstain ? "conflicting" : "");
  }
}

TEST(JudgeWeights, TheOrderThatNeuronsShowGoesWithItsClass) {
  const auto after = [](const OriginTrace& trace, const Reencoding& content) {
    Pair pair;
    pair.relation = Relation::same_lineage;
    pair.direction = -1;
    judge_weights({trace, content, {}}, true, pair);
    return std::pair(pair.relation, pair.direction);
  };
  OriginTrace unread = labelled_trace("");
  unread.abstain = "unsupported";
  EXPECT_EQ(after(unread, {.weights = 10}), std::pair(Relation::same_lineage, -1));
  EXPECT_EQ(after(labelled_trace("UNRELATED_HERE"), {.weights = 10}), std::pair(Relation::abstain, 0));
  EXPECT_EQ(after(labelled_trace("LOW_RANK", 16), {.weights = 10}), std::pair(Relation::low_rank_related, 0));
  EXPECT_EQ(after(labelled_trace("IDENTICAL"), {.weights = 10, .equal = 10}),
            std::pair(Relation::exact_copy, 0));
}

TEST(JudgeWeights, RoundedCopiesHaveADirection) {
  const Reencoding child_is_coarser = {
      .weights = 10, .equal = 3, .rounded = 7, .coarser = "BF16", .direction = 1};
  const Pair pair = judged(labelled_trace("IDENTICAL"), child_is_coarser);
  EXPECT_EQ(pair.relation, Relation::reencoded_copy);
  EXPECT_EQ(pair.direction, 1);
  EXPECT_NE(pair.sentence.find("Equal up to storage in BF16"), std::string::npos) << pair.sentence;
  EXPECT_EQ(judged(labelled_trace("IDENTICAL"), child_is_coarser, false).direction, -1);
  Reencoding one_differs = child_is_coarser;
  one_differs.rounded = 6;
  EXPECT_EQ(judged(labelled_trace("IDENTICAL"), one_differs).relation, Relation::abstain);
}

TEST(JudgeWeights, QuantisedCopiesAreCopiesWhereTheirCodesTell) {
  const Reencoding quantised = {.weights = 10,
                                .equal = 2,
                                .rounded = 1,
                                .quantised = 7,
                                .telling = 6,
                                .nearest = 0.992,
                                .farthest_control = 0.16,
                                .coarser = "Q4_K, blocks of 256",
                                .direction = 1};
  const Pair pair = judged(labelled_trace("IDENTICAL"), quantised);
  EXPECT_EQ(pair.relation, Relation::reencoded_copy);
  EXPECT_EQ(pair.direction, 1);
  for (const char* words : {"Equal up to storage in Q4_K, blocks of 256", "in 7 of 10 weights", "99.2 %",
                            "6 of these weights at most 16 %", "the other 3", "cannot be seen"})
    EXPECT_NE(pair.sentence.find(words), std::string::npos) << pair.sentence;
  Reencoding telling_nothing = quantised;
  telling_nothing.telling = 0;
  EXPECT_EQ(judged(labelled_trace("IDENTICAL"), telling_nothing).relation, Relation::abstain);
  Reencoding one_differs = quantised;
  one_differs.quantised = 6;
  EXPECT_EQ(judged(labelled_trace("IDENTICAL"), one_differs).relation, Relation::abstain);
}

SameFunction function_answers(std::uint64_t agreeing, std::uint64_t parts, bool control = false) {
  SameFunction found;
  for (std::uint64_t i = 0; i < parts; ++i)
    found.readings.push_back({.subject = "mlp", .agrees = i < agreeing});
  found.agreeing = agreeing;
  found.control = {.subject = "control", .agrees = control};
  return found;
}

TEST(JudgeWeights, AllPartsAnsweringAlikeAreTheSameFunction) {
  const auto judge = [](const SameFunction& function, const char* label = "IDENTICAL") {
    OriginTrace trace = labelled_trace(label);
    trace.stream = "orthogonal";
    if (trace.label == "ABSTAIN(dead_zone)") trace.abstain = "dead_zone";
    return judged(trace, {.weights = 10}, true, function);
  };
  const Pair same = judge(function_answers(14, 14));
  EXPECT_EQ(same.relation, Relation::reparametrised_copy);
  EXPECT_EQ(same.direction, 0);
  EXPECT_NE(same.sentence.find("a rotation of the residual stream"), std::string::npos) << same.sentence;
  EXPECT_EQ(judge(function_answers(14, 14), "ABSTAIN(dead_zone)").relation, Relation::reparametrised_copy);
  const Pair most = judge(function_answers(13, 14));
  EXPECT_EQ(most.relation, Relation::abstain);
  EXPECT_NE(most.sentence.find("13 of 14"), std::string::npos) << most.sentence;
  EXPECT_EQ(judge(function_answers(14, 14, true)).relation, Relation::abstain)
      << "unlike layers answer alike too";
  SameFunction alone = function_answers(4, 4);
  alone.control = {};
  EXPECT_EQ(judge(alone).relation, Relation::abstain) << "no control";
  EXPECT_EQ(judge({}).relation, Relation::abstain) << "nobody asked";
}

TEST(JudgeWeights, FunctionsAreAskedOfWhatIsLeftOpen) {
  const Reencoding different = {.weights = 10};
  OriginTrace trace = labelled_trace("IDENTICAL");
  for (int layer = 0; layer < 6; ++layer)
    trace.readings.push_back(
        {.subject = "c", .reading = "operator", .layer = layer, .label = "IDENTICAL", .delta = 0.002});
  EXPECT_FALSE(function_in_question(trace, different)) << "the same axes, and no weight far away";
  trace.stream = "orthogonal";
  EXPECT_TRUE(function_in_question(trace, different));
  EXPECT_FALSE(function_in_question(trace, {.weights = 10, .equal = 10}));
  EXPECT_FALSE(function_in_question(trace, {.weights = 10, .equal = 4, .rounded = 6}));
  trace.stream = "identity";
  trace.readings.push_back(
      {.subject = "t", .reading = "tensor", .layer = 0, .label = "UNRELATED_HERE", .delta = 1.4});
  EXPECT_TRUE(function_in_question(trace, different)) << "neurons in another order";
  trace.readings.front().delta = 0.3;
  EXPECT_FALSE(function_in_question(trace, different)) << "a fine-tune";
  trace.readings.front().delta = missing;
  EXPECT_FALSE(function_in_question(trace, different)) << "a layer that was not read";
  trace.readings.front().delta = 0.002;
  for (const char* reason : {"control_failed", "unaligned", "unsupported"}) {
    trace.abstain = reason;
    EXPECT_FALSE(function_in_question(trace, different)) << reason;
  }
  trace.abstain = "";
  EXPECT_FALSE(function_in_question(
      [&] {
        OriginTrace low = trace;
        low.label = "LOW_RANK", low.median = 16;
        return low;
      }(),
      different));
}

TEST(JudgeWeights, CopiesAndUntrainedModelsStay) {
  EXPECT_EQ(judged(labelled_trace("IDENTICAL"), {.weights = 10, .equal = 10}).relation, Relation::exact_copy);
  Pair copy, untrained;
  copy.relation = Relation::exact_copy;
  untrained.reason = "random_init";
  WeightFindings found;
  found.origin = labelled_trace("LOW_RANK", 16);
  judge_weights(found, true, copy);
  judge_weights(found, true, untrained);
  EXPECT_EQ(copy.relation, Relation::exact_copy);
  EXPECT_EQ(untrained.reason, "random_init");
}

}  // namespace
}  // namespace stemma
