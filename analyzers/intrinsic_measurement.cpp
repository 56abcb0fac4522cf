// What is measured while the weights of one layer go by, once?
#include "analyzers/intrinsic_measurement.hpp"

#include <algorithm>
#include <cmath>

#include "analyzers/intrinsic_parts.hpp"
#include "analyzers/numerics/held_matrix.hpp"

namespace stemma {

namespace {

constexpr std::initializer_list<Part> qkvo = {Part::attn_q, Part::attn_k, Part::attn_v, Part::attn_o};

}  // namespace

Features square_norm_features(double square_norm, const std::string& problem) {
  Features features;
  features.numbers["square_norm"] = square_norm;
  features.problem = problem;
  if (problem.empty() && !std::isfinite(square_norm)) features.status = Status::nonfinite;
  return features;
}

std::unique_ptr<Measurement> intrinsic_measurement(const Subject& subject, std::span<const Input> inputs,
                                                   std::span<const std::vector<double>> companions) {
  Gains gains(subject, companions);
  if (input_of(inputs, qkvo)) return attention_measurement(subject, inputs, std::move(gains));
  return neuron_measurement(inputs, std::move(gains));
}

Cost intrinsic_cost(const Subject& subject, std::span<const Input> inputs) {
  Cost cost;
  for (const Input& input : inputs) {
    const double elements = static_cast<double>(input.rows) * static_cast<double>(input.cols);
    const std::uint64_t bytes = HeldMatrix::bytes(input.dtype, input.rows, input.cols);
    cost.bytes += static_cast<double>(bytes);
    const Part part = part_of(input);
    if (std::find(qkvo.begin(), qkvo.end(), part) == qkvo.end()) {
      cost.flops += 4 * elements;
      cost.memory += 8 * (input.rows + 3 * input.cols);
      continue;
    }
    // Grams of heads: elements times head width; edge: about ten products A^T A x.
    const std::uint64_t heads = std::max<std::uint64_t>(1, parameter(subject, "heads"));
    const std::uint64_t features = part == Part::attn_o ? input.cols : input.rows;
    const double width = static_cast<double>(features) / static_cast<double>(heads);
    cost.flops += elements * (width + 40);
    cost.memory += bytes + static_cast<std::uint64_t>(8 * width * width) * heads +
                   8 * std::max<std::uint64_t>(64, static_cast<std::uint64_t>(width)) * input.cols +
                   24 * input.cols;
  }
  return cost;
}

}  // namespace stemma
