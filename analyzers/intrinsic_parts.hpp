// Which pieces do the measurements of intrinsic_fingerprint share?
#pragma once
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analyzers/analyzer.hpp"
#include "analyzers/folding.hpp"

namespace stemma {

/// A parameter of a subject as a count or flag; 0 when absent.
std::uint64_t parameter(const Subject& subject, const std::string& name);

/// The part that an input plays, from its role path.
Part part_of(const Input& input);

/// The first input that plays one of these parts.
std::optional<std::size_t> input_of(std::span<const Input> inputs, std::initializer_list<Part> parts);

/// Gains of the norm in front of the readers and behind the writer, with the family's offset added; empty
/// where there is none.
struct Gains {
  std::vector<double> pre, post;
  bool layer_norm = false;

  Gains(const Subject& subject, std::span<const std::vector<double>> companions);
  Fold reader() const { return {pre, {}, layer_norm}; }
  Fold writer() const { return {{}, post, false}; }
};

/// Features with one number, square_norm; a `problem` says why it is NaN.
Features square_norm_features(double square_norm, const std::string& problem);

std::unique_ptr<Measurement> attention_measurement(const Subject& subject, std::span<const Input> inputs,
                                                   Gains gains);
std::unique_ptr<Measurement> neuron_measurement(std::span<const Input> inputs, Gains gains);

}  // namespace stemma
