// What does one decoder layer do to a sequence of a single token?
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "analyzers/origin_circuit.hpp"

namespace stemma {

/// The weights of a decoder layer with RMS norms and a SwiGLU MLP that a single token sees, row-major.
struct LayerWeights {
  AttentionShape shape;
  ValueOutput attention;                ///< its gain is that of the norm in front of attention
  std::span<const double> value_bias;   ///< b_v, H_kv d_h; empty: zeros
  std::span<const double> output_bias;  ///< b_o, d; empty: zeros
  std::span<const double> gate, up;     ///< W_g, W_u, f x d
  std::span<const double> down;         ///< W_d, d x f
  std::span<const double> mlp_gain;     ///< of the norm in front of the MLP as it is applied, d; empty: ones
  double epsilon = 1e-6;                ///< of both norms
  std::uint64_t width() const { return shape.width; }
  std::uint64_t mlp_width() const { return width() == 0 ? 0 : gate.size() / width(); }
};

/// For one token the softmax over positions is 1: W_q, W_k and the encoding of positions vanish, and with
/// N(x; g)_i = g_i x_i / sqrt(|x|^2 / d + epsilon) the layer is
///
///   y = x + Wo_bar (W_v N(x; gamma_1) + b_v) + b_o              after_attention
///   Layer(x) = y + W_d (silu(W_g n) * (W_u n)), n = N(y; gamma_2)   output; the second term: mlp
///
/// with silu(a) = a / (1 + exp(-a)) (Shazeer, arXiv 2002.05202). States are tokens x d, row-major; products
/// are matrix products over token_block tokens. `output` of one layer is the input of the next, so the inputs
/// of layer l follow from embeddings by l calls.
///
/// Spans of the weights have to outlive the layer. Numbers that are not finite go through.
class SingleTokenLayer {
 public:
  /// Throws std::invalid_argument when sizes do not fit.
  explicit SingleTokenLayer(const LayerWeights& weights);

  std::vector<double> after_attention(std::span<const double> x) const;
  std::vector<double> mlp(std::span<const double> y) const;
  std::vector<double> output(std::span<const double> x) const;

  const LayerWeights& weights() const { return weights_; }
  std::uint64_t width() const { return weights_.width(); }
  /// How many states lie in a span. Throws std::invalid_argument when they do not fill whole rows.
  std::uint64_t tokens_in(std::span<const double> states) const;
  /// Multiplications and additions of one pass of one token through the three matrices of the MLP: 6 d f.
  double mlp_flops() const;
  /// ... and through attention: 4 d H_kv d_h.
  double attention_flops() const;

 private:
  LayerWeights weights_;
  std::vector<double> pooled_;    ///< Wo_bar
  std::vector<double> constant_;  ///< Wo_bar b_v + b_o
};

/// Tokens that go through a layer at once: bounds memory at a few f x token_block numbers and fills BLAS.
inline constexpr std::uint64_t token_block = 128;

/// K, the derivative of y -> W_d (silu(W_g n) * (W_u n)), n = N(y; gamma_2), at several states at once, by
/// what it does to vectors; it takes 2 f doubles a state, and d x d is never formed.
///
///   K = W_d (diag(silu'(a) b) W_g + diag(silu(a)) W_u) J_N,   a = W_g n, b = W_u n
///   J_N = diag(gamma_2) (I - y y^T / (d rho^2)) / rho,        rho^2 = |y|^2 / d + epsilon
class MlpTangent {
 public:
  /// The layer has to outlive the tangent.
  MlpTangent(const SingleTokenLayer& layer, std::span<const double> states);

  std::uint64_t tokens() const { return scale_.size(); }
  const std::vector<double>& value() const { return value_; }       ///< what `mlp` gives for the states
  std::vector<double> product(std::span<const double> v) const;     ///< K v for one v a state
  std::vector<double> transposed(std::span<const double> w) const;  ///< K^T w for one w a state
  /// Forgets all states but `kept`, ascending positions among them, also in value().
  void keep(std::span<const std::size_t> kept);

 private:
  void through_norm(std::span<double> rows) const;  ///< (I - y y^T / (d rho^2)) / rho, which is symmetric

  const SingleTokenLayer* layer_;
  std::vector<double> states_, value_;
  std::vector<double> scale_;            ///< 1 / rho
  std::vector<double> by_gate_, by_up_;  ///< silu'(a) b, silu(a)
};

/// Moves the rows `kept` of a matrix of rows of `width`, ascending, to its beginning and drops the rest.
void keep_rows(std::vector<double>& rows, std::uint64_t width, std::span<const std::size_t> kept);

}  // namespace stemma
