// What of the response of every projection of every layer depends on its weights?
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "analyzers/analyzer.hpp"

namespace stemma {

/// One subject for each matrix of q, k, v, o, gate, up and down, routed experts one by one, under the path of
/// its role. Their matrices are read with everybody else's; they have no parameters yet.
std::vector<Subject> repaired_subjects(const Model& model);

Cost repaired_cost(const Input& input);

/// Multiplies the rows of one matrix, as stored, with the input that `seed` draws for its width (guard_base),
/// and gives the numbers of repaired_response and repaired_control under the names of repaired_columns.
/// Status nonfinite where the product is not finite.
std::unique_ptr<Measurement> repaired_measurement(const Input& input, std::uint64_t seed);

/// The curves of a model from the features of these subjects of `analyzer`. A layer whose experts were not
/// all measured has none. Nothing where no matrix has a response.
std::optional<RepairedCurves> repaired_curves(const Model& model, const FeatureSource& features,
                                              std::string_view analyzer);

}  // namespace stemma
