// A small decoder as dense matrices: what laundering does to it, and what its circuits are, term by term.
#pragma once
#include <Eigen/Dense>
#include <random>
#include <vector>

#include "toy_model.hpp"

namespace stemma::toy {

using Dense = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

struct DenseLayer {
  Dense q, k, v, o, gate, up, down;
  Vector gain_attn, gain_mlp;
};

struct DenseModel {
  int d = 48, heads = 6, kv_heads = 3, head_dim = 8, inter = 80;
  std::vector<DenseLayer> layers;

  int group() const { return heads / kv_heads; }
};

inline Dense random_dense(Eigen::Index rows, Eigen::Index cols, double spread, std::mt19937_64& generator) {
  std::normal_distribution<double> normal(0, spread);
  Dense out(rows, cols);
  for (Eigen::Index i = 0; i < rows; ++i) {
    for (Eigen::Index j = 0; j < cols; ++j) out(i, j) = normal(generator);
  }
  return out;
}

/// Layers of different sizes with one strong direction each, so that neither rule takes them for untrained.
inline DenseModel random_dense_model(int layers, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::uniform_real_distribution<double> gain(0.5, 1.5), size(0.5, 2.0);
  DenseModel model;
  const auto weight = [&](int rows, int cols) -> Dense {
    const Dense spike = random_dense(rows, 1, 1, generator) * random_dense(1, cols, 1, generator);
    return size(generator) * (random_dense(rows, cols, 1 / std::sqrt(double(cols)), generator) + 0.2 * spike);
  };
  for (int l = 0; l < layers; ++l) {
    DenseLayer layer;
    layer.q = weight(model.heads * model.head_dim, model.d);
    layer.k = weight(model.kv_heads * model.head_dim, model.d);
    layer.v = weight(model.kv_heads * model.head_dim, model.d);
    layer.o = weight(model.d, model.heads * model.head_dim);
    layer.gate = weight(model.inter, model.d);
    layer.up = weight(model.inter, model.d);
    layer.down = weight(model.d, model.inter);
    layer.gain_attn = Vector::NullaryExpr(model.d, [&] { return gain(generator); });
    layer.gain_mlp = Vector::NullaryExpr(model.d, [&] { return gain(generator); });
    model.layers.push_back(std::move(layer));
  }
  return model;
}

inline std::span<const double> values(const Dense& m) {
  return {m.data(), static_cast<std::size_t>(m.size())};
}
inline std::span<const double> values(const Vector& v) {
  return {v.data(), static_cast<std::size_t>(v.size())};
}
inline std::uint64_t unsigned_size(Eigen::Index n) { return static_cast<std::uint64_t>(n); }

inline void add(ToyModel& toy, const Role& r, const Dense& m) {
  toy.add(r, unsigned_size(m.rows()), unsigned_size(m.cols()), values(m));
}

inline ToyModel toy_of(const DenseModel& dense, NormKind norm = NormKind::rms, Dtype dtype = Dtype::f64) {
  ToyModel toy(dtype);
  toy.model.norm = norm;
  toy.model.dims = {{"heads", dense.heads}, {"kv_heads", dense.kv_heads}, {"head_dim", dense.head_dim}};
  for (int l = 0; l < static_cast<int>(dense.layers.size()); ++l) {
    const DenseLayer& layer = dense.layers[static_cast<std::size_t>(l)];
    add(toy, role(l, Part::attn_q), layer.q);
    add(toy, role(l, Part::attn_k), layer.k);
    add(toy, role(l, Part::attn_v), layer.v);
    add(toy, role(l, Part::attn_o), layer.o);
    add(toy, role(l, Part::mlp_gate), layer.gate);
    add(toy, role(l, Part::mlp_up), layer.up);
    add(toy, role(l, Part::mlp_down), layer.down);
    toy.add(role(l, Part::norm_pre_attn), unsigned_size(dense.d), 0, values(layer.gain_attn));
    toy.add(role(l, Part::norm_pre_mlp), unsigned_size(dense.d), 0, values(layer.gain_mlp));
  }
  return toy;
}

/// The twin values of one layer from circuits formed in full: qk, ov, ud, g.
inline std::array<double, 4> dense_twins(const DenseModel& m, const DenseLayer& layer, NormKind norm) {
  const Dense unit = Dense::Identity(m.d, m.d);
  const Dense centre = norm == NormKind::layer ? Dense(unit - Dense::Constant(m.d, m.d, 1.0 / m.d)) : unit;
  const auto reader = [&](const Dense& w, const Vector& gain) -> Dense {
    return w * gain.asDiagonal() * centre;
  };
  const auto writer = [&](const Dense& w) -> Dense { return centre * w; };
  const Dense q = reader(layer.q, layer.gain_attn), k = reader(layer.k, layer.gain_attn);
  const Dense v = reader(layer.v, layer.gain_attn), o = writer(layer.o);
  const Dense up = reader(layer.up, layer.gain_mlp), gate = reader(layer.gate, layer.gain_mlp);
  const Dense down = writer(layer.down);
  double qk = 0, ov = 0, ud = 0;
  const auto head = [&](const Dense& w, int h) { return w.middleRows(h * m.head_dim, m.head_dim); };
  for (int h = 0; h < m.heads; ++h) {
    qk += (head(q, h).transpose() * head(k, h / m.group())).squaredNorm();
    ov += (o.middleCols(h * m.head_dim, m.head_dim) * head(v, h / m.group())).squaredNorm();
  }
  for (int i = 0; i < m.inter; ++i) ud += up.row(i).squaredNorm() * down.col(i).squaredNorm();
  return {0.5 * std::log(qk), 0.5 * std::log(ov), 0.5 * std::log(ud), 0.5 * std::log(gate.squaredNorm())};
}

}  // namespace stemma::toy
