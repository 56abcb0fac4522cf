// What do the attention and the MLP of a layer answer to states that a norm has seen already?
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "analyzers/origin_circuit.hpp"
#include "io/model/model.hpp"

namespace stemma {

/// W x + b for each state x. States lie one after the other: count x cols becomes count x rows.
using AffineMap = std::function<std::vector<double>(std::span<const double> states)>;

/// Attention without what no change of coordinates touches: window, sinks, the base of the rotary angles.
struct AttentionFunction {
  AttentionShape shape;
  Rope rope = Rope::half;          ///< which dimensions of a head are turned together; mixed is not allowed
  std::uint64_t rotary_width = 0;  ///< of a head: so many of its first dimensions are turned, an even number
  AffineMap query, key, value, output;
  /// Gains of the norm that queries or keys pass, of d_h numbers for one over each head, or of all for one
  /// over all heads; empty: there is none.
  std::vector<double> query_gain, key_gain;
};

/// How states follow each other.
struct Sequences {
  std::uint64_t length = 0;    ///< states of each sequence
  std::vector<double> angles;  ///< by which one step turns each rotary pair
};

/// What scores are multiplied with before the softmax.
struct Sharpness {
  double whole = 1;    ///< of scores as they are
  double varying = 1;  ///< of what changes with the states: queries and keys less their means
};

/// Causal attention over whole sequences, softmax(sharpness q^T R k) over earlier states and the own one,
/// twice, one below the other: as it is, and with queries and keys less their means over all states, because
/// large biases would hide the weights behind scores that no state changes. Every exact change of parameters
/// (maps inside heads, their order, gains) leaves both as they are, whatever the angles, because it leaves
/// every rotary pair's part of the scores as it is.
///
/// `sharpness` is found where it is not given: 2 over the root mean square of a head's scores, of the median
/// head (1 where all scores are zero), so that queries and keys matter as much as values. `states` fill whole
/// sequences. Twice as many states, behind the output. Throws std::invalid_argument where sizes do not fit.
std::vector<double> attention_answers(const AttentionFunction& function, const Sequences& sequences,
                                      std::span<const double> states, std::optional<Sharpness>& sharpness);

/// down(silu(gate x) * up x), or down(silu(up x)) without a gate. The activation of the model does not
/// matter: whoever has the same neurons up to order and allowed scales answers alike through any. (ReLU
/// networks allow more scales than this one sees.)
std::vector<double> mlp_answers(const AffineMap& gate, const AffineMap& up, const AffineMap& down,
                                std::span<const double> states);

/// Rows of `width` brought to a root mean square of 1: a norm without gain. Rows of zeros stay.
void normalise_rows(std::span<double> rows, std::uint64_t width);

}  // namespace stemma
