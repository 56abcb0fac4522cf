// Does a sketch stay what it is under every exact change of parameters, and notice the others?
#include "analyzers/neuron_match.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dense_model.hpp"

namespace stemma {
namespace {

using namespace toy;

constexpr int rows = 90;

/// A dense model with an embedding, ready to be sketched.
struct Source {
  DenseModel model = random_dense_model(2, 1);
  Dense embedding;
  NormKind norm = NormKind::rms;
  Vector q_gain, k_gain;  ///< of the norms of q and k, of every layer; empty: none

  Source() {
    std::mt19937_64 random(2);
    embedding = random_dense(rows, model.d, 1, random);
  }
};

NeuronSketch sketch_of(ToyModel& made) {
  made.model.anchors = choose_anchors({}, rows);
  Results results;
  for (const Subject& subject : neuron_match_analyzer().subjects(made.model, {}))
    results[{"neuron_match", subject.path}] = measure(made, neuron_match_analyzer(), subject, 1 << 20);
  Fingerprint out;
  neuron_match_analyzer().summarise(
      made.model,
      [&](std::string_view analyzer, std::string_view subject) -> std::optional<Features> {
        const auto found = results.find({std::string(analyzer), std::string(subject)});
        return found == results.end() ? std::nullopt : std::optional(found->second);
      },
      {}, out);
  return out.neurons.value_or(NeuronSketch{});
}

ToyModel toy_with_embedding(const Source& source) {
  ToyModel made = toy_of(source.model, source.norm);
  add(made, {Stack::decoder, -1, Part::embed, -1, Kind::weight}, source.embedding);
  for (int layer = 0; layer < 2; ++layer)
    for (const auto& [part, gain] :
         {std::pair(Part::attn_q_norm, source.q_gain), {Part::attn_k_norm, source.k_gain}})
      if (gain.size() > 0) made.add(role(layer, part), unsigned_size(gain.size()), 0, values(gain));
  return made;
}

NeuronSketch sketch_of(const Source& source) {
  ToyModel made = toy_with_embedding(source);
  return sketch_of(made);
}

int largest_difference(const std::vector<std::int8_t>& a, const std::vector<std::int8_t>& b,
                       bool sign_free = false) {
  if (a.size() != b.size()) return 1000;
  int largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    largest =
        std::max(largest, sign_free ? std::abs(std::abs(a[i]) - std::abs(b[i])) : std::abs(a[i] - b[i]));
  return largest;
}

/// Equal but for rounding of bytes and, where signs are free, signs of second answers.
void expect_same_neurons(const NeuronSketch& a, const NeuronSketch& b) {
  ASSERT_EQ(a.blocks.size(), b.blocks.size());
  EXPECT_EQ(a.keys, b.keys);
  for (std::size_t i = 0; i < a.blocks.size(); ++i) {
    const NeuronBlock &x = a.blocks[i], &y = b.blocks[i];
    EXPECT_LE(largest_difference(x.first, y.first), 1);
    EXPECT_LE(largest_difference(x.second, y.second, true), 1);
    ASSERT_EQ(x.size(), y.size());
    for (std::size_t n = 0; n < x.size(); ++n)
      EXPECT_NEAR(x.norm_product[n], y.norm_product[n], 1e-9 * x.norm_product[n]);
  }
}
int attention_difference(const NeuronSketch& a, const NeuronSketch& b) {
  if (a.attention.size() != 2 || b.attention.size() != 2) return 1000;
  return std::max(largest_difference(a.attention[0].reading, b.attention[0].reading),
                  largest_difference(a.attention[1].reading, b.attention[1].reading));
}
void expect_same(const NeuronSketch& a, const NeuronSketch& b) {
  expect_same_neurons(a, b);
  EXPECT_LE(attention_difference(a, b), 1);
}

TEST(NeuronMatch, KeepsTheLargestOfAllNeurons) {
  const NeuronSketch sketch = sketch_of(Source());
  ASSERT_EQ(sketch.blocks.size(), 2U);
  EXPECT_EQ(sketch.vocabulary, unsigned(rows));
  EXPECT_EQ(sketch.keys.size(), unsigned(rows));
  for (const NeuronBlock& block : sketch.blocks) {
    EXPECT_EQ(block.units, 80U);
    EXPECT_EQ(block.size(), 80U);
    for (std::size_t i = 1; i < block.size(); ++i)
      EXPECT_GE(block.norm_first[i - 1] * block.norm_product[i - 1],
                block.norm_first[i] * block.norm_product[i]);
  }
  EXPECT_EQ(sketch.attention.at(1).reading.size(), 64U * 64);
}

TEST(NeuronMatch, GainsMayMoveIntoReaders) {
  Source moved;
  for (DenseLayer& layer : moved.model.layers) {
    for (Dense* w : {&layer.q, &layer.k, &layer.v}) *w = Dense(*w * layer.gain_attn.asDiagonal());
    for (Dense* w : {&layer.gate, &layer.up}) *w = Dense(*w * layer.gain_mlp.asDiagonal());
    layer.gain_attn.setOnes(), layer.gain_mlp.setOnes();
  }
  expect_same(sketch_of(Source()), sketch_of(moved));
  Source lost;
  for (DenseLayer& layer : lost.model.layers) layer.gain_attn.setOnes(), layer.gain_mlp.setOnes();
  EXPECT_GT(largest_difference(sketch_of(Source()).blocks[0].first, sketch_of(lost).blocks[0].first), 10);
  EXPECT_GT(attention_difference(sketch_of(Source()), sketch_of(lost)), 5);
}

TEST(NeuronMatch, GemmaStoresGainsLessOne) {
  Source source;
  ToyModel plain = toy_with_embedding(source);
  for (DenseLayer& layer : source.model.layers) layer.gain_attn.array() -= 1, layer.gain_mlp.array() -= 1;
  ToyModel gemma = toy_with_embedding(source);
  for (Matrix& matrix : gemma.model.matrices)
    if (matrix.vector) matrix.gain_offset = 1;
  expect_same(sketch_of(plain), sketch_of(gemma));
}

TEST(NeuronMatch, TheStreamMayBeTurnedAndStretched) {
  Source turned;
  std::mt19937_64 random(3);
  const Eigen::MatrixXd q =
      Eigen::HouseholderQR<Eigen::MatrixXd>(random_dense(turned.model.d, turned.model.d, 1, random))
          .householderQ();
  for (DenseLayer& layer : turned.model.layers) {
    for (Dense* w : {&layer.q, &layer.k, &layer.v}) *w = Dense(*w * layer.gain_attn.asDiagonal() * q);
    for (Dense* w : {&layer.gate, &layer.up}) *w = Dense(*w * layer.gain_mlp.asDiagonal() * q);
    for (Dense* w : {&layer.o, &layer.down}) *w = Dense(q.transpose() * *w);
    layer.gain_attn.setOnes(), layer.gain_mlp.setOnes();
  }
  turned.embedding = Dense(7 * turned.embedding * q);
  expect_same(sketch_of(Source()), sketch_of(turned));
}

TEST(NeuronMatch, NeuronsMayMoveAndStretch) {
  Source moved;
  for (DenseLayer& layer : moved.model.layers) {
    for (Eigen::Index i = 0; i < layer.up.rows(); ++i) {
      const double c = (i % 2 ? -1 : 1) * std::exp(0.1 * static_cast<double>(i % 13 - 6));
      layer.up.row(i) *= c;
      layer.down.col(i) /= c;
    }
    for (Dense* w : {&layer.gate, &layer.up}) *w = Dense(w->colwise().reverse());
    layer.down = Dense(layer.down.rowwise().reverse());
  }
  const NeuronSketch a = sketch_of(Source()), b = sketch_of(moved);
  expect_same(a, b);
  for (std::size_t i = 0; i < 80; ++i) EXPECT_EQ(a.blocks[1].unit[i], 79 - b.blocks[1].unit[i]);
}

TEST(NeuronMatch, HeadsMayChangeTheirBasisAndTheirPlace) {
  Source moved;
  std::mt19937_64 random(4);
  const int w = moved.model.head_dim, group = moved.model.group(), kv = moved.model.kv_heads;
  for (DenseLayer& layer : moved.model.layers) {
    Dense q = layer.q, k = layer.k;
    for (int j = 0; j < kv; ++j) {
      const int to = (j + 1) % kv;
      const Dense basis = random_dense(w, w, 1, random) + 3 * Dense::Identity(w, w);
      k.middleRows(to * w, w) = basis * layer.k.middleRows(j * w, w);
      for (int g = 0; g < group; ++g)
        q.middleRows((to * group + (g + 1) % group) * w, w) =
            basis.inverse().transpose() * layer.q.middleRows((j * group + g) * w, w);
    }
    layer.q = q, layer.k = k;
  }
  expect_same(sketch_of(Source()), sketch_of(moved));
  Source half;
  for (std::size_t l = 0; l < 2; ++l) half.model.layers[l].k = moved.model.layers[l].k;
  EXPECT_GT(attention_difference(sketch_of(Source()), sketch_of(half)), 20) << "k moved, q stayed";
}

TEST(NeuronMatch, WhereHeadsAreNormedTheirScaleMeansNothing) {
  Source source, scaled;
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> gain(0.5, 1.5);
  source.q_gain = Vector::NullaryExpr(source.model.head_dim, [&] { return gain(random); });
  source.k_gain = Vector::NullaryExpr(source.model.head_dim, [&] { return gain(random); });
  scaled.q_gain = source.q_gain, scaled.k_gain = source.k_gain;
  for (DenseLayer& layer : scaled.model.layers)
    for (int h = 0; h < scaled.model.heads; ++h) layer.q.middleRows(h * 8, 8) *= 0.2 + h;
  expect_same(sketch_of(source), sketch_of(scaled));
  // Gains stand between q and k: what one loses the other may have.
  Source swapped = source;
  swapped.q_gain = source.q_gain.cwiseProduct(source.k_gain), swapped.k_gain.setOnes();
  EXPECT_LE(attention_difference(sketch_of(source), sketch_of(swapped)), 1);
  swapped.k_gain = source.k_gain;
  EXPECT_GT(attention_difference(sketch_of(source), sketch_of(swapped)), 5);
  // Without norms the scale of a head is its weight.
  scaled.q_gain.resize(0), scaled.k_gain.resize(0);
  EXPECT_GT(attention_difference(sketch_of(Source()), sketch_of(scaled)), 20);
  source.q_gain.conservativeResize(5);
  EXPECT_TRUE(sketch_of(source).attention.empty()) << "a gain that fits no head";
  EXPECT_EQ(sketch_of(source).blocks.size(), 2U);
}

TEST(NeuronMatch, ALayerNormDoesNotSeeMeans) {
  Source source, moved;
  source.norm = moved.norm = NormKind::layer;
  for (DenseLayer& layer : moved.model.layers)
    for (auto [w, gain] : {std::pair(&layer.gate, &layer.gain_mlp),
                           {&layer.up, &layer.gain_mlp},
                           {&layer.q, &layer.gain_attn},
                           {&layer.k, &layer.gain_attn}})
      for (Eigen::Index i = 0; i < w->rows(); ++i)
        w->row(i) += 0.3 * static_cast<double>(i % 5) * gain->cwiseInverse().transpose();
  for (DenseLayer& layer : moved.model.layers)
    layer.down.rowwise() += Vector::LinSpaced(80, -2, 2).transpose();
  for (Eigen::Index t = 0; t < rows; ++t) moved.embedding.row(t).array() += 0.5 * static_cast<double>(t % 7);
  expect_same(sketch_of(source), sketch_of(moved));
  moved.norm = source.norm = NormKind::rms;
  EXPECT_GT(largest_difference(sketch_of(source).blocks[0].first, sketch_of(moved).blocks[0].first), 10);
}

TEST(NeuronMatch, DeadNeuronsAreLeftOutAndEqualOnesKeepNoOrder) {
  Source source;
  DenseLayer& layer = source.model.layers[0];
  layer.gate.row(5).setZero();
  layer.down.col(9) *= 1e-9;
  const NeuronSketch sketch = sketch_of(source);
  EXPECT_EQ(sketch.blocks[0].size(), 78U);
  EXPECT_THAT(sketch.blocks[0].unit,
              testing::Not(testing::AnyOf(testing::Contains(5U), testing::Contains(9U))));
  EXPECT_EQ(sketch.blocks[1].size(), 80U);
  layer.gate(7, 3) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(sketch_of(source).blocks[0].size(), 77U) << "what is no number is left out, the others stay";
}

TEST(NeuronMatch, OfManyExpertsFewNeuronsEach) {
  for (const auto& [experts, kept] : {std::pair(3, 100U), {20, 51U}, {64, 16U}, {100, 16U}}) {
    ToyModel made;
    made.add({Stack::decoder, -1, Part::embed, -1, Kind::weight}, rows, 8, gaussian(rows * 8, 1, 1));
    for (int e = 0; e < experts; ++e) {
      const auto seed = static_cast<unsigned>(3 * e);
      made.add(role(0, Part::moe_expert_gate, e), 100, 8, gaussian(800, 1, seed + 1));
      made.add(role(0, Part::moe_expert_up, e), 100, 8, gaussian(800, 1, seed + 2));
      made.add(role(0, Part::moe_expert_down, e), 8, 100, gaussian(800, 1, seed + 3));
    }
    const NeuronSketch sketch = sketch_of(made);
    ASSERT_EQ(sketch.blocks.size(), static_cast<std::size_t>(experts));
    for (int e = 0; e < experts; ++e) {
      const NeuronBlock& block = sketch.blocks[static_cast<std::size_t>(e)];
      EXPECT_EQ(block.expert, e);
      EXPECT_EQ(block.size(), kept);
    }
  }
}

TEST(NeuronMatch, WhatDoesNotFitIsLeftOut) {
  Source source;
  ToyModel made = toy_with_embedding(source);
  made.model.dims["kv_heads"] = 5;
  EXPECT_TRUE(sketch_of(made).attention.empty());
  EXPECT_EQ(sketch_of(made).blocks.size(), 2U);
  source.model.layers[0].down = Dense(source.model.layers[0].down.leftCols(40));
  const NeuronSketch sketch = sketch_of(source);
  ASSERT_EQ(sketch.blocks.size(), 1U);
  EXPECT_EQ(sketch.blocks[0].layer, 1);
  source.embedding = Dense(source.embedding.leftCols(20));
  EXPECT_TRUE(sketch_of(source).blocks.empty());
}

}  // namespace
}  // namespace stemma
