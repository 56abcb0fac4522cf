// Which decoder layers of a toy's size have a base, an update and inputs that are known?
#pragma once
#include "analyzers/single_token_layer.hpp"
#include "tests/analyzers/origin_toy.hpp"

namespace stemma::single_token_toy {

using origin_toy::elements;
using origin_toy::RowMajor;

inline constexpr AttentionShape shape = {128, 4, 2, 32};
inline constexpr Eigen::Index neurons = 320;

struct Layer {
  origin_toy::Layer attention;
  RowMajor gate, up, down;
  Eigen::VectorXd mlp_gain;
  double epsilon = 1e-6;

  LayerWeights weights() const {
    return {.shape = attention.shape,
            .attention = attention.view(),
            .value_bias = {},
            .output_bias = {},
            .gate = elements(gate),
            .up = elements(up),
            .down = elements(down),
            .mlp_gain = {mlp_gain.data(), static_cast<std::size_t>(mlp_gain.size())},
            .epsilon = epsilon};
  }
};

inline Eigen::VectorXd gains(Eigen::Index size, unsigned seed) {
  return Eigen::VectorXd::Ones(size) + 0.2 * origin_toy::normal(size, 1, seed);
}

inline Layer base(unsigned seed = 1) {
  const auto d = static_cast<Eigen::Index>(shape.width);
  Layer out = {origin_toy::base(seed, shape), origin_toy::weight(neurons, d, 10 * seed + 2),
               origin_toy::weight(neurons, d, 10 * seed + 3), origin_toy::weight(d, neurons, 10 * seed + 4),
               gains(d, 10 * seed + 5)};
  out.attention.gain = gains(d, 10 * seed + 6);
  return out;
}

/// The base's MLP behind attention with adapters of rank 8.
inline Layer child(const Layer& base, double on_value, double on_output, Dtype stored = Dtype::f64) {
  Layer out = base;
  out.attention = origin_toy::with_adapters(base.attention, on_value, on_output).stored(stored);
  return out;
}

/// Normal numbers of root mean square `size`, one token a row.
inline std::vector<double> states(std::size_t tokens, double size, unsigned seed) {
  return toy::gaussian(tokens * shape.width, size, seed);
}

}  // namespace stemma::single_token_toy
