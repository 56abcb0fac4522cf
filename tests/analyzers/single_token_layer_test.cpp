// Does a layer do what its formula says, and is its tangent its derivative?
#include "analyzers/single_token_layer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "tests/analyzers/single_token_toy.hpp"

namespace stemma {
namespace {

using single_token_toy::states;
using Vector = Eigen::VectorXd;

Vector normed(const Vector& x, const Vector& gain, double epsilon) {
  double square = 0;
  for (Eigen::Index i = 0; i < x.size(); ++i) square += x(i) * x(i);
  const double root = std::sqrt(square / static_cast<double>(x.size()) + epsilon);
  Vector out(x.size());
  for (Eigen::Index i = 0; i < x.size(); ++i) out(i) = gain(i) * x(i) / root;
  return out;
}

/// Every query head reads the value of its kv head; nothing is pooled.
Vector naive_attention(const single_token_toy::Layer& layer, const Vector& x, const Vector& value_bias,
                       const Vector& output_bias) {
  const AttentionShape& shape = layer.attention.shape;
  const Vector v = layer.attention.value * normed(x, layer.attention.gain, layer.epsilon) + value_bias;
  Vector heads(shape.heads * shape.head_width);
  for (std::uint64_t h = 0; h < shape.heads; ++h)
    for (std::uint64_t i = 0; i < shape.head_width; ++i)
      heads(static_cast<Eigen::Index>(h * shape.head_width + i)) =
          v(static_cast<Eigen::Index>(h / (shape.heads / shape.kv_heads) * shape.head_width + i));
  return x + layer.attention.output * heads + output_bias;
}

Vector naive_mlp(const single_token_toy::Layer& layer, const Vector& y) {
  const Vector n = normed(y, layer.mlp_gain, layer.epsilon);
  const Vector a = layer.gate * n, b = layer.up * n;
  Vector out = Vector::Zero(y.size());
  for (Eigen::Index i = 0; i < a.size(); ++i) out += a(i) / (1 + std::exp(-a(i))) * b(i) * layer.down.col(i);
  return out;
}

Vector row(const std::vector<double>& rows, std::size_t i) {
  return Eigen::Map<const Vector>(rows.data() + i * single_token_toy::shape.width,
                                  static_cast<Eigen::Index>(single_token_toy::shape.width));
}

TEST(SingleTokenLayer, AgreesWithTheFormula) {
  single_token_toy::Layer layer = single_token_toy::base();
  layer.epsilon = 1e-3;  // large enough to be seen
  const Vector value_bias = origin_toy::normal(64, 1, 91), output_bias = origin_toy::normal(128, 1, 92);
  LayerWeights weights = layer.weights();
  weights.value_bias = {value_bias.data(), 64};
  weights.output_bias = {output_bias.data(), 128};
  const std::size_t tokens = 2 * token_block + 3;  // blocks and a rest
  const std::vector<double> x = states(tokens, 0.05, 11);
  const SingleTokenLayer with_biases(weights), without(layer.weights());
  const std::vector<double> after = with_biases.after_attention(x), plain = without.after_attention(x),
                            mlp = with_biases.mlp(x), output = with_biases.output(x);
  ASSERT_EQ(output.size(), x.size());
  for (std::size_t i = 0; i < tokens; ++i) {
    const Vector y = naive_attention(layer, row(x, i), value_bias, output_bias);
    EXPECT_LT((row(after, i) - y).norm(), 1e-13 * y.norm());
    EXPECT_LT((row(output, i) - y - naive_mlp(layer, y)).norm(), 1e-13 * row(output, i).norm());
    EXPECT_LT((row(mlp, i) - naive_mlp(layer, row(x, i))).norm(), 1e-13 * row(mlp, i).norm());
    const Vector bare = naive_attention(layer, row(x, i), Vector::Zero(64), Vector::Zero(128));
    EXPECT_LT((row(plain, i) - bare).norm(), 1e-13 * bare.norm());
  }
  EXPECT_EQ(without.mlp_flops(), 6.0 * 128 * 320);
  EXPECT_EQ(without.attention_flops(), 4.0 * 128 * 64);
}

TEST(SingleTokenLayer, TangentIsTheDerivative) {
  const single_token_toy::Layer layer = single_token_toy::base(2);
  const SingleTokenLayer single(layer.weights());
  const std::size_t tokens = 5;
  const std::vector<double> y = states(tokens, 0.3, 12), v = states(tokens, 1, 13), w = states(tokens, 1, 14);
  const MlpTangent tangent(single, y);
  const std::vector<double> kv = tangent.product(v), kw = tangent.transposed(w);
  const double h = 1e-5;
  std::vector<double> forward = y, backward = y;
  for (std::size_t i = 0; i < y.size(); ++i) {
    forward[i] += h * v[i];
    backward[i] -= h * v[i];
  }
  const std::vector<double> up = single.mlp(forward), down = single.mlp(backward), here = single.mlp(y);
  for (std::size_t i = 0; i < tokens; ++i) {
    const Vector slope = (row(up, i) - row(down, i)) / (2 * h);
    EXPECT_LT((row(kv, i) - slope).norm(), 1e-7 * slope.norm());
    EXPECT_NEAR(row(w, i).dot(row(kv, i)), row(kw, i).dot(row(v, i)),
                1e-12 * row(w, i).norm() * slope.norm());
    EXPECT_LT((row(tangent.value(), i) - row(here, i)).norm(), 1e-14 * row(here, i).norm());
  }
}

TEST(SingleTokenLayer, TangentForgetsTokens) {
  const single_token_toy::Layer layer = single_token_toy::base();
  const SingleTokenLayer single(layer.weights());
  const std::vector<double> y = states(6, 1, 15);
  std::vector<double> v = states(6, 1, 16);
  MlpTangent tangent(single, y);
  const std::vector<double> all = tangent.product(v), value = tangent.value();
  const std::vector<std::size_t> kept = {1, 2, 5};
  tangent.keep(kept);
  keep_rows(v, 128, kept);
  ASSERT_EQ(tangent.tokens(), 3U);
  const std::vector<double> some = tangent.product(v);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_LT((row(some, i) - row(all, kept[i])).norm(), 1e-14 * row(some, i).norm());
    EXPECT_EQ(row(tangent.value(), i), row(value, kept[i]));
  }
}

TEST(SingleTokenLayer, WhatDoesNotFitIsRefused) {
  const single_token_toy::Layer layer = single_token_toy::base();
  const LayerWeights weights = layer.weights();
  const SingleTokenLayer single(weights);
  EXPECT_THROW(single.output(std::vector<double>(129)), std::invalid_argument);
  EXPECT_TRUE(single.output({}).empty());
  LayerWeights bad = weights;
  bad.up = bad.up.subspan(1);
  EXPECT_THROW(SingleTokenLayer{bad}, std::invalid_argument);
  bad = weights;
  bad.value_bias = bad.gate.first(63);
  EXPECT_THROW(SingleTokenLayer{bad}, std::invalid_argument);
  bad = weights;
  bad.shape.heads = 3;
  EXPECT_THROW(SingleTokenLayer{bad}, std::invalid_argument);
  EXPECT_THROW(SingleTokenLayer{LayerWeights{}}, std::invalid_argument);
}

}  // namespace
}  // namespace stemma
