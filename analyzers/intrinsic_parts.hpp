// Which pieces do the measurements of intrinsic_fingerprint share?
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "analyzers/analyzer.hpp"
#include "analyzers/subject_parts.hpp"

namespace stemma {

/// Features with one number, square_norm; a `problem` says why it is NaN.
Features square_norm_features(double square_norm, const std::string& problem);

std::unique_ptr<Measurement> attention_measurement(const Subject& subject, std::span<const Input> inputs,
                                                   Gains gains);
std::unique_ptr<Measurement> neuron_measurement(std::span<const Input> inputs, Gains gains);

}  // namespace stemma
