// Do the pair tests say what two fingerprints have in common, and abstain where they must?
#include <gtest/gtest.h>

#include "analyzers/content_pair.hpp"
#include "analyzers/verdict.hpp"
#include "dense_model.hpp"

namespace stemma {
namespace {

using namespace toy;

Fingerprint fingerprint_of_dense(const DenseModel& dense, const std::string& id) {
  ToyModel model = toy_of(dense, NormKind::rms, Dtype::bf16);
  return fingerprint_of(model, id);
}

Pair judged(const Fingerprint& a, const Fingerprint& b) {
  Pair pair = compare(a, b);
  judge(a, b, pair);
  return pair;
}

TEST(Content, EqualModelsAreExactCopies) {
  const DenseModel dense = random_dense_model(9, 1);
  const Fingerprint a = fingerprint_of_dense(dense, "a"), b = fingerprint_of_dense(dense, "b");
  const Pair pair = judged(a, b);
  EXPECT_EQ(pair.relation, Relation::exact_copy);
  EXPECT_NE(pair.sentence.find("equal in 128-bit content hash"), std::string::npos);
  EXPECT_NE(pair.sentence.find("bytes not compared"), std::string::npos);
  EXPECT_EQ(row_of(pair, "content").score, 1);
  EXPECT_NEAR(row_of(pair, "intrinsic_fingerprint").score, 1, 1e-12);
}

TEST(Content, OneChangedTensorIsCounted) {
  DenseModel dense = random_dense_model(9, 2);
  const Fingerprint a = fingerprint_of_dense(dense, "a");
  dense.layers[3].q *= 2;
  const Fingerprint b = fingerprint_of_dense(dense, "b");
  const ContentMatch match = match_content(a, b);
  EXPECT_EQ(match.equal_tensors, 9U * 9 - 1);
  EXPECT_EQ(match.equal_same_role, match.equal_tensors);
  EXPECT_FALSE(match.identical);
  EXPECT_LT(match.share(), 1);
  const Pair pair = judged(a, b);
  EXPECT_EQ(pair.relation, Relation::abstain);
  EXPECT_EQ(pair.reason, "no_valid_null");
  EXPECT_NE(pair.sentence.find("80 of 81"), std::string::npos);
}

TEST(Content, ConstantTensorsAreNoEvidence) {
  ToyModel a(Dtype::bf16), b(Dtype::bf16);
  for (ToyModel* model : {&a, &b})
    model->add(role(0, Part::norm_pre_attn), 64, 0, std::vector<double>(64, 1.0));
  a.add(role(0, Part::attn_q), 16, 16, gaussian(256, 0.1, 1));
  b.add(role(0, Part::attn_q), 16, 16, gaussian(256, 0.1, 2));
  const ContentMatch match = match_content(fingerprint_of(a), fingerprint_of(b));
  EXPECT_EQ(match.equal_tensors, 0U);
  EXPECT_EQ(match.left_out, 2U);
  EXPECT_EQ(match.share(), 0);
}

TEST(Content, MasksAndTablesOfPositionsAreNoEvidence) {
  ToyModel a(Dtype::f32), b(Dtype::f32);
  std::vector<double> mask(64 * 64, 0);
  for (std::size_t i = 0; i < 64; ++i)
    for (std::size_t j = 0; j < i; ++j) mask[i * 64 + j] = -1e9;
  for (ToyModel* model : {&a, &b}) model->add(role(0, Part::other), 64, 64, mask);
  a.add(role(0, Part::attn_q), 16, 16, gaussian(256, 0.1, 1));
  b.add(role(0, Part::attn_q), 16, 16, gaussian(256, 0.1, 2));
  const ContentMatch match = match_content(fingerprint_of(a), fingerprint_of(b));
  EXPECT_EQ(match.equal_tensors, 0U);
  EXPECT_EQ(match.left_out, 2U);
  EXPECT_EQ(match.share(), 0);

  Fingerprint x, y;
  for (Fingerprint* f : {&x, &y}) {
    TensorMark positions;
    positions.role = "position_ids";
    positions.dtype = static_cast<std::uint8_t>(Dtype::i64);
    positions.rows = positions.bytes = 4096;
    positions.content = {1, 2};
    positions.known = true;
    f->tensors = {positions};
    order_marks(*f);
  }
  EXPECT_EQ(match_content(x, y).equal_tensors, 0U);
  const Pair pair = judged(x, y);  // equal bytes throughout, and still no copy
  EXPECT_EQ(pair.relation, Relation::abstain);
  EXPECT_EQ(pair.reason, "unsupported");
}

TEST(Content, AMovedLayerIsFoundInAnotherRole) {
  DenseModel dense = random_dense_model(3, 3);
  const Fingerprint a = fingerprint_of_dense(dense, "a");
  std::swap(dense.layers[0], dense.layers[2]);
  const ContentMatch match = match_content(a, fingerprint_of_dense(dense, "b"));
  EXPECT_EQ(match.equal_tensors, 27U);
  EXPECT_EQ(match.equal_same_role, 9U);
}

TEST(Histogram, PermutedNeuronsHaveEqualCounts) {
  const DenseModel base = random_dense_model(2, 4);
  DenseModel changed = base;
  for (DenseLayer& layer : changed.layers) {
    for (Dense* w : {&layer.gate, &layer.up}) *w = w->colwise().reverse().eval();
    layer.down = layer.down.rowwise().reverse().eval();
  }
  const Pair pair = compare(fingerprint_of_dense(base, "a"), fingerprint_of_dense(changed, "b"));
  const Evidence& row = row_of(pair, "histogram");
  EXPECT_NE(row.detail_json.find("\"permuted_tensors\":6"), std::string::npos) << row.detail_json;
  EXPECT_GT(row.score, 0.3);
  EXPECT_EQ(
      row_of(compare(fingerprint_of_dense(base, "a"), fingerprint_of_dense(base, "b")), "histogram").score,
      0);
}

TEST(Intrinsic, FewLayersAbstainButShowTheScore) {
  const Fingerprint a = fingerprint_of_dense(random_dense_model(6, 5), "a");
  const Fingerprint b = fingerprint_of_dense(random_dense_model(6, 6), "b");
  const Pair pair = judged(a, b);
  const Evidence& row = row_of(pair, "intrinsic_fingerprint");
  EXPECT_EQ(row.abstain, "too_few_layers");
  EXPECT_TRUE(std::isfinite(row.score));
  EXPECT_EQ(row.null, "none valid");
  EXPECT_EQ(row.grade, Grade::N);
  EXPECT_TRUE(std::isnan(row.log10_p));
  EXPECT_EQ(pair.relation, Relation::abstain);
  EXPECT_EQ(pair.reason, "too_few_layers");
  EXPECT_EQ(row_of(compare(a, b, {{"min_layers", "6"}}), "intrinsic_fingerprint").abstain, "");
}

TEST(Intrinsic, RowsPerCurveAndTwinAsControl) {
  const Fingerprint a = fingerprint_of_dense(random_dense_model(9, 7), "a");
  const Fingerprint b = fingerprint_of_dense(random_dense_model(12, 8), "b");
  const Pair pair = compare(a, b), back = compare(b, a);
  const Evidence& row = row_of(pair, "intrinsic_fingerprint");
  double sum = 0;
  for (const char* part : qkvo_parts) sum += row_of(pair, "intrinsic_fingerprint", part).score;
  EXPECT_NEAR(row.score, sum / 4, 1e-15);
  sum = 0;
  for (const char* part : twin_parts)
    sum += row_of(pair, "intrinsic_fingerprint", std::string("twin.") + part).score;
  EXPECT_NEAR(row.control, sum / 4, 1e-15);
  EXPECT_TRUE(std::isfinite(row_of(pair, "intrinsic_fingerprint", "norm_attn").score));
  EXPECT_EQ(row.score, row_of(back, "intrinsic_fingerprint").score);
  EXPECT_EQ(row_of(compare(a, b, {{"depth", "refuse"}}), "intrinsic_fingerprint").abstain, "unaligned");
  EXPECT_THROW(compare(a, b, {{"depht", "refuse"}}), std::invalid_argument);
  EXPECT_THROW(compare(a, b, {{"min_layers", "1"}}), std::invalid_argument);
}

TEST(Intrinsic, UntrainedWeightsGiveNoScoreNotEvenToTheirCopy) {
  ToyModel model(Dtype::bf16);
  for (int l = 0; l < 9; ++l) {
    for (const Part part : {Part::attn_q, Part::attn_k, Part::attn_v, Part::attn_o}) {
      model.add(role(l, part), 64, 64, gaussian(4096, 0.02, static_cast<unsigned>(l * 4 + int(part))));
    }
  }
  const Fingerprint a = fingerprint_of(model, "a"), b = fingerprint_of(model, "b");
  const Pair pair = judged(a, b);
  const Evidence& row = row_of(pair, "intrinsic_fingerprint");
  EXPECT_EQ(row.abstain, "random_init");
  EXPECT_TRUE(std::isnan(row.score));
  EXPECT_EQ(pair.relation, Relation::abstain);
  EXPECT_EQ(pair.reason, "random_init");
  EXPECT_NE(pair.sentence.find("All tensors are equal"), std::string::npos);
}

TEST(Intrinsic, WithoutCurvesThereIsNothingToCompare) {
  Fingerprint a, b;
  const Pair pair = judged(a, b);
  for (const Evidence& row : pair.evidence) EXPECT_EQ(row.abstain, "unsupported");
  EXPECT_EQ(pair.reason, "unsupported");
}

}  // namespace
}  // namespace stemma
