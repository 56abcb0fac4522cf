// How does the attention of one layer weigh anchor tokens against each other, whatever its heads are called?
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "analyzers/analyzer.hpp"
#include "io/model/anchor_tokens.hpp"

namespace stemma {

/// The measurement of q and k of one layer. Companions: gains of the norm in front (parameter pre = 1), gains
/// of the norms of q and k (q_gain, k_gain), then rows of the embedding, one for each anchor.
///
/// With E the anchors' rows of length 1 and folded weights, the reading is sum_h (E W_q^(h)T)(E W_k^(j)T)^T
/// without the means of its rows and columns, which takes biases out. Sums of circuits do not move under any
/// change of basis inside heads, nor when heads change places; rotary positions leave their value at distance
/// 0. Where q and k are normalised per head, the gains stand between the factors and every head counts with
/// length 1, because its scale means nothing. Features:
///   anchors    tokens on each side, those of attention_anchors
///   reading    row-major in 127ths of the largest, as bytes, eight to a number
std::unique_ptr<Measurement> attention_reading(const Subject& subject, std::span<const Input> inputs,
                                               std::span<const std::vector<double>> companions);

Cost attention_reading_cost(const Subject& subject, std::span<const Input> inputs);

}  // namespace stemma
