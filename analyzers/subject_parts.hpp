// What do subjects consist of whose matrices play parts in one layer: parameters, inputs, gains?
#pragma once
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analyzers/folding.hpp"
#include "analyzers/method.hpp"
#include "io/model/model.hpp"

namespace stemma {

/// A parameter of a subject as a count or flag; 0 when absent.
std::uint64_t parameter(const Subject& subject, const std::string& name);

/// The part that an input plays, from its role path.
Part part_of(const Input& input);

/// The first input that plays one of these parts.
std::optional<std::size_t> input_of(std::span<const Input> inputs, std::initializer_list<Part> parts);

/// The index of a weight among the model's matrices; nothing when it has none, or one that is stored as
/// something else than real numbers.
std::optional<std::uint32_t> weight_index(const Model& model, const Role& role);

/// Makes the gains of a norm a companion of the subject, with parameters NAME = 1 and NAME_offset; NAME = 0
/// where the model has no such norm.
void add_gain(Subject& subject, const std::string& name, const Model& model, const Role& norm);
/// The same gains again, of the companion that holds them, with the family's offset added.
std::vector<double> gain_of(const Subject& subject, const std::string& name,
                            std::span<const double> companion);

/// Gains of the norm in front of the readers and behind the writer (pre, post); empty where there is
/// none.
struct Gains {
  std::vector<double> pre, post;
  bool layer_norm = false;

  Gains(const Subject& subject, std::span<const std::vector<double>> companions);
  Fold reader() const { return {pre, {}, layer_norm}; }
  Fold writer() const { return {{}, post, false}; }
};

}  // namespace stemma
