// A row-major matrix of tokens is a column-major one with a token in each column, so that BLAS takes it as it
// is.
#include "analyzers/single_token_layer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "analyzers/folding.hpp"
#include "analyzers/numerics/blas.hpp"

namespace stemma {

namespace {

/// W x for row-major W, m x k, and each of `count` tokens x of width k.
std::vector<double> multiplied(std::span<const double> w, std::uint64_t m, std::span<const double> x,
                               std::uint64_t count) {
  const std::uint64_t k = m == 0 ? 0 : w.size() / m;
  std::vector<double> y(m * count);
  dgemm(Transpose::yes, Transpose::no, m, count, k, 1, w.data(), k, x.data(), k, 0, y.data(), m);
  return y;
}

/// y += W^T x for row-major W, m x k, and tokens x of width m.
void add_transposed(std::span<const double> w, std::uint64_t m, std::span<const double> x,
                    std::uint64_t count, std::vector<double>& y) {
  const std::uint64_t k = m == 0 ? 0 : w.size() / m;
  dgemm(Transpose::no, Transpose::no, k, count, m, 1, w.data(), k, x.data(), m, 1, y.data(), k);
}

double logistic(double a) { return 1 / (1 + std::exp(-a)); }

double inverse_norm(std::span<const double> x, double epsilon) {
  const double square = std::inner_product(x.begin(), x.end(), x.begin(), 0.0);
  return 1 / std::sqrt(square / static_cast<double>(x.size()) + epsilon);
}

std::vector<double> normed(std::span<const double> x, std::uint64_t d, std::span<const double> gain,
                           double epsilon) {
  std::vector<double> out(x.begin(), x.end());
  for (std::size_t at = 0; at < out.size(); at += d) {
    const double scale = inverse_norm(x.subspan(at, d), epsilon);
    for (std::size_t i = at; i < at + d; ++i) out[i] *= scale;
  }
  scale_columns(out, gain);
  return out;
}

void check(const LayerWeights& w) {
  const std::uint64_t d = w.width(), inner = w.shape.inner(), f = w.mlp_width();
  const auto fits = [](std::span<const double> vector, std::uint64_t size) {
    return vector.empty() || vector.size() == size;
  };
  if (d == 0 || inner == 0 || f == 0 || w.shape.heads == 0 || w.shape.heads % w.shape.kv_heads != 0)
    throw std::invalid_argument("a layer has a width, heads in whole groups and neurons");
  if (w.attention.value.size() != inner * d ||
      w.attention.output.size() != d * w.shape.heads * w.shape.head_width || w.gate.size() != f * d ||
      w.up.size() != f * d || w.down.size() != f * d || !fits(w.attention.gain, d) || !fits(w.mlp_gain, d) ||
      !fits(w.value_bias, inner) || !fits(w.output_bias, d))
    throw std::invalid_argument("the elements of a layer do not fill its shape");
}

/// Calls body(states, place) for blocks of whole tokens, `place` the first element of the block.
template <typename Body>
void in_blocks(std::span<const double> states, std::uint64_t d, const Body& body) {
  for (std::size_t at = 0; at < states.size(); at += token_block * d)
    body(states.subspan(at, std::min<std::size_t>(token_block * d, states.size() - at)), at);
}

}  // namespace

void keep_rows(std::vector<double>& rows, std::uint64_t width, std::span<const std::size_t> kept) {
  for (std::size_t to = 0; to < kept.size(); ++to)
    if (kept[to] != to) std::copy_n(rows.data() + kept[to] * width, width, rows.data() + to * width);
  rows.resize(kept.size() * width);
}

SingleTokenLayer::SingleTokenLayer(const LayerWeights& weights)
    : weights_(weights), constant_(weights.width()) {
  check(weights);
  pooled_ = pooled_output(weights.shape, weights.attention.output);
  if (!weights.value_bias.empty()) constant_ = multiplied(pooled_, width(), weights.value_bias, 1);
  for (std::size_t i = 0; i < weights.output_bias.size(); ++i) constant_[i] += weights.output_bias[i];
}

std::uint64_t SingleTokenLayer::tokens_in(std::span<const double> states) const {
  if (states.size() % width() != 0) throw std::invalid_argument("states are whole rows of the layer's width");
  return states.size() / width();
}

double SingleTokenLayer::mlp_flops() const { return 6.0 * static_cast<double>(weights_.gate.size()); }

double SingleTokenLayer::attention_flops() const {
  return 4.0 * static_cast<double>(weights_.attention.value.size());
}

std::vector<double> SingleTokenLayer::after_attention(std::span<const double> x) const {
  tokens_in(x);
  const std::uint64_t d = width(), inner = weights_.shape.inner();
  std::vector<double> y(x.begin(), x.end());
  in_blocks(x, d, [&](std::span<const double> states, std::size_t at) {
    const std::uint64_t count = states.size() / d;
    const std::vector<double> n = normed(states, d, weights_.attention.gain, weights_.epsilon);
    const std::vector<double> values = multiplied(weights_.attention.value, inner, n, count);
    const std::vector<double> added = multiplied(pooled_, d, values, count);
    for (std::size_t i = 0; i < added.size(); ++i) y[at + i] += added[i] + constant_[i % d];
  });
  return y;
}

std::vector<double> SingleTokenLayer::mlp(std::span<const double> y) const {
  tokens_in(y);
  const std::uint64_t d = width(), f = weights_.mlp_width();
  std::vector<double> out;
  out.reserve(y.size());
  in_blocks(y, d, [&](std::span<const double> states, std::size_t) {
    const std::uint64_t count = states.size() / d;
    const std::vector<double> n = normed(states, d, weights_.mlp_gain, weights_.epsilon);
    std::vector<double> a = multiplied(weights_.gate, f, n, count);
    const std::vector<double> b = multiplied(weights_.up, f, n, count);
    for (std::size_t i = 0; i < a.size(); ++i) a[i] *= logistic(a[i]) * b[i];
    const std::vector<double> added = multiplied(weights_.down, d, a, count);
    out.insert(out.end(), added.begin(), added.end());
  });
  return out;
}

std::vector<double> SingleTokenLayer::output(std::span<const double> x) const {
  std::vector<double> y = after_attention(x);
  const std::vector<double> added = mlp(y);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += added[i];
  return y;
}

MlpTangent::MlpTangent(const SingleTokenLayer& layer, std::span<const double> states)
    : layer_(&layer), states_(states.begin(), states.end()), scale_(layer.tokens_in(states)) {
  const LayerWeights& w = layer.weights();
  const std::uint64_t d = layer.width(), f = w.mlp_width();
  for (std::size_t t = 0; t < tokens(); ++t) scale_[t] = inverse_norm(states.subspan(t * d, d), w.epsilon);
  const std::vector<double> n = normed(states, d, w.mlp_gain, w.epsilon);
  by_gate_ = multiplied(w.gate, f, n, tokens());
  by_up_ = multiplied(w.up, f, n, tokens());
  std::vector<double> active(by_up_.size());
  for (std::size_t i = 0; i < active.size(); ++i) {
    const double a = by_gate_[i], b = by_up_[i], s = logistic(a);
    by_gate_[i] = s * (1 + a * (1 - s)) * b;
    by_up_[i] = a * s;
    active[i] = a * s * b;
  }
  value_ = multiplied(w.down, d, active, tokens());
}

void MlpTangent::through_norm(std::span<double> rows) const {
  const std::uint64_t d = layer_->width();
  for (std::size_t t = 0; t < tokens(); ++t) {
    const double* y = states_.data() + t * d;
    double* row = rows.data() + t * d;
    const double scale = scale_[t];
    const double along = std::inner_product(y, y + d, row, 0.0) * scale * scale / static_cast<double>(d);
    for (std::size_t i = 0; i < d; ++i) row[i] = (row[i] - y[i] * along) * scale;
  }
}

std::vector<double> MlpTangent::product(std::span<const double> v) const {
  const LayerWeights& w = layer_->weights();
  const std::uint64_t d = layer_->width(), f = w.mlp_width();
  std::vector<double> n(v.begin(), v.end());
  through_norm(n);
  scale_columns(n, w.mlp_gain);
  std::vector<double> a = multiplied(w.gate, f, n, tokens());
  const std::vector<double> b = multiplied(w.up, f, n, tokens());
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = by_gate_[i] * a[i] + by_up_[i] * b[i];
  return multiplied(w.down, d, a, tokens());
}

std::vector<double> MlpTangent::transposed(std::span<const double> w) const {
  const LayerWeights& weights = layer_->weights();
  const std::uint64_t d = layer_->width(), f = weights.mlp_width();
  std::vector<double> b(f * tokens()), n(d * tokens());
  add_transposed(weights.down, d, w, tokens(), b);
  std::vector<double> a(b.size());
  for (std::size_t i = 0; i < b.size(); ++i) {
    a[i] = by_gate_[i] * b[i];
    b[i] *= by_up_[i];
  }
  add_transposed(weights.gate, f, a, tokens(), n);
  add_transposed(weights.up, f, b, tokens(), n);
  scale_columns(n, weights.mlp_gain);
  through_norm(n);
  return n;
}

void MlpTangent::keep(std::span<const std::size_t> kept) {
  const std::uint64_t d = layer_->width(), f = layer_->weights().mlp_width();
  keep_rows(states_, d, kept);
  keep_rows(value_, d, kept);
  keep_rows(scale_, 1, kept);
  keep_rows(by_gate_, f, kept);
  keep_rows(by_up_, f, kept);
}

}  // namespace stemma
