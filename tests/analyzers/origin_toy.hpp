// Which attention layers have a base, an update and a disguise that are known?
#pragma once
#include <Eigen/Dense>
#include <cmath>

#include "analyzers/origin_circuit.hpp"
#include "tests/analyzers/toy_model.hpp"

namespace stemma::origin_toy {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

inline std::span<const double> elements(const RowMajor& a) {
  return {a.data(), static_cast<std::size_t>(a.size())};
}

inline RowMajor normal(Eigen::Index rows, Eigen::Index cols, unsigned seed) {
  const std::vector<double> values = toy::gaussian(static_cast<std::size_t>(rows * cols), 1, seed);
  return Eigen::Map<const RowMajor>(values.data(), rows, cols);
}

inline RowMajor rounded(RowMajor a, Dtype dtype) {
  const std::vector<std::byte> bytes = toy::encode(dtype, elements(a));
  widen(dtype, bytes, {a.data(), static_cast<std::size_t>(a.size())});
  return a;
}

/// s N + sum of six spikes, rounded to bf16.
inline RowMajor weight(Eigen::Index rows, Eigen::Index cols, unsigned seed) {
  RowMajor w = 0.02 * normal(rows, cols, seed);
  for (unsigned k = 0; k < 6; ++k)
    w += 0.6 * 0.02 / (k + 1) * normal(rows, 1, 1000 * seed + k) * normal(1, cols, 1000 * seed + 10 + k);
  return rounded(w, Dtype::bf16);
}

inline RowMajor orthonormal(Eigen::Index rows, Eigen::Index cols, unsigned seed) {
  const Eigen::MatrixXd a = normal(rows, cols, seed);
  return Eigen::HouseholderQR<Eigen::MatrixXd>(a).householderQ() * Eigen::MatrixXd::Identity(rows, cols);
}

/// Rank 8, singular values geometric from 0.30 to 0.06.
inline RowMajor adapter(Eigen::Index rows, Eigen::Index cols, unsigned seed) {
  Eigen::VectorXd s(8);
  for (int i = 0; i < 8; ++i) s(i) = 0.30 * std::pow(0.2, i / 7.0);
  return orthonormal(rows, 8, seed) * s.asDiagonal() * orthonormal(cols, 8, seed + 1).transpose();
}

struct Layer {
  AttentionShape shape = {256, 8, 4, 32};
  RowMajor value, output;
  Eigen::VectorXd gain = Eigen::VectorXd::Ones(256);

  ValueOutput view() const {
    return {elements(value), elements(output), {gain.data(), static_cast<std::size_t>(gain.size())}};
  }
  Layer stored(Dtype dtype) const {
    Layer out = *this;
    out.value = rounded(value, dtype);
    out.output = rounded(output, dtype);
    return out;
  }
  /// G, formed.
  RowMajor circuit() const {
    const auto w = static_cast<Eigen::Index>(shape.head_width),
               group = static_cast<Eigen::Index>(shape.heads / shape.kv_heads);
    RowMajor out = RowMajor::Zero(output.rows(), value.cols());
    for (Eigen::Index h = 0; h < static_cast<Eigen::Index>(shape.heads); ++h)
      out += output.middleCols(h * w, w) * value.middleRows(h / group * w, w);
    return out * gain.asDiagonal();
  }
};

inline Layer base(unsigned seed = 1, AttentionShape shape = {256, 8, 4, 32}) {
  const auto d = static_cast<Eigen::Index>(shape.width), k = static_cast<Eigen::Index>(shape.inner()),
             q = static_cast<Eigen::Index>(shape.heads * shape.head_width);
  return {shape, weight(k, d, 10 * seed), weight(d, q, 10 * seed + 1), Eigen::VectorXd::Ones(d)};
}

inline Layer with_adapters(Layer layer, double on_value, double on_output) {
  layer.value += on_value * adapter(layer.value.rows(), layer.value.cols(), 77);
  layer.output += on_output * adapter(layer.output.rows(), layer.output.cols(), 87);
  return layer;
}

/// What happens inside a kv group: its values are multiplied by a matrix from the left, its outputs by the
/// inverse from the right. The groups change places as well. The first four are those of the page.
enum class Disguise : std::uint8_t {
  powers_of_two,
  scaling,
  permutation,
  rotation_and_scale,
  uneven_scaling
};
inline constexpr std::array disguises = {Disguise::powers_of_two, Disguise::scaling, Disguise::permutation,
                                         Disguise::rotation_and_scale};

inline Eigen::MatrixXd inside(Disguise disguise, Eigen::Index width, unsigned group) {
  const Eigen::MatrixXd same = Eigen::MatrixXd::Identity(width, width);
  const RowMajor some = normal(width, 1, 500 + group);
  const double scale = std::exp(0.7 * some(0));
  switch (disguise) {
    case Disguise::powers_of_two:
      return std::exp2(group) * same;
    case Disguise::scaling:
      return scale * same;
    case Disguise::permutation:
      return same(Eigen::seqN(width - 1, width, Eigen::fix<-1>), Eigen::all);
    case Disguise::rotation_and_scale:
      return scale * orthonormal(width, width, 600 + group);
    default:
      return (0.7 * some.array()).exp().matrix().asDiagonal();
  }
}

inline Layer disguised(const Layer& layer, Disguise disguise) {
  const auto w = static_cast<Eigen::Index>(layer.shape.head_width),
             groups = static_cast<Eigen::Index>(layer.shape.kv_heads),
             each = static_cast<Eigen::Index>(layer.shape.heads) / groups;
  Layer out = layer;
  for (Eigen::Index j = 0; j < groups; ++j) {
    const Eigen::Index to = (j + 1) % groups;
    const Eigen::MatrixXd r = inside(disguise, w, static_cast<unsigned>(j));
    out.value.middleRows(to * w, w) = r * layer.value.middleRows(j * w, w);
    for (Eigen::Index h = 0; h < each; ++h)
      out.output.middleCols((to * each + h) * w, w) =
          layer.output.middleCols((j * each + h) * w, w) * r.inverse();
  }
  return out;
}

}  // namespace stemma::origin_toy
