// What is measured while the weights of one layer go by, once?
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "analyzers/analyzer.hpp"

namespace stemma {

/// The measurement of one subject of intrinsic_fingerprint. Its features:
///   square_norm      qk, ov: sum over heads of |circuit|_F^2; ud: sum over neurons of |u_i|^2 |d_i|^2;
///                    g: |W_g|_F^2; all on folded weights. NaN, with the reason in `problem`, where the
///                    circuits cannot be formed.
///   edge_q, edge_k, edge_v, edge_o   HeldMatrix::edge_ratio of the matrix as stored (qk and ov only)
std::unique_ptr<Measurement> intrinsic_measurement(const Subject& subject, std::span<const Input> inputs,
                                                   std::span<const std::vector<double>> companions);

/// Bytes that such a measurement needs beside the reading buffers, and its flops.
Cost intrinsic_cost(const Subject& subject, std::span<const Input> inputs);

}  // namespace stemma
