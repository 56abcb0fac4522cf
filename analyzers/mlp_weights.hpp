// Where among the inputs of a pair lie the weights of two MLPs, and what are they neuron by neuron?
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analyzers/held_inputs.hpp"
#include "analyzers/pair_parts.hpp"

namespace stemma {

enum class MlpWeight : std::uint8_t { gate, up, down };

/// Why the MLP of a layer cannot be read neuron by neuron; "" when it can. From headers only.
std::string mlp_problem(const Model& model, int layer);

/// Layers whose MLP both models have in one form, ascending; the width of both streams and the number of
/// layers must be the same, else none.
std::vector<int> shared_mlps(const ModelPair& pair);
/// d of these layers.
std::uint64_t stream_width(const Model& model);
bool has_gate(const Model& model, int layer);

/// Those at even places of the list (first = 0) or at odd ones (1): what is fitted on some layers may be
/// tested on the others.
std::vector<int> every_other(const std::vector<int>& layers, std::size_t first);

/// At most `most` of them, evenly spaced, the first and the last among them.
std::vector<int> evenly_spaced(const std::vector<int>& layers, std::size_t most);

/// Adds gate (where there are gates), up and down of a layer of the base, then of one of the candidate, to
/// the matrices of a subject, and the gains of their norms to its companions. Parameters that say where begin
/// with `name`, so a subject may hold several.
void add_mlps(const ModelPair& pair, int base_layer, int candidate_layer, const std::string& name,
              Subject& subject);

/// Rows of one weight, one for each neuron and as long as the stream is wide: rows of gate and up, columns of
/// down.
struct NeuronRows {
  std::vector<double> values, lengths;
  std::uint64_t width = 0;

  std::uint64_t neurons() const { return lengths.size(); }
  std::span<const double> row(std::uint64_t i) const { return std::span(values).subspan(i * width, width); }
};

/// What add_mlps added, while the subject is measured. The arguments outlive it.
class MlpPair {
 public:
  MlpPair(const Subject& subject, std::string name, const HeldInputs& held,
          std::span<const std::vector<double>> companions)
      : subject_(subject), name_(std::move(name)), held_(held), companions_(companions) {}

  bool gated() const { return number("gated") != 0; }
  /// With norms multiplied in, in the coordinates of the candidate's or the base's own stream.
  NeuronRows rows(Side side, MlpWeight weight) const;

 private:
  std::uint64_t number(const std::string& what) const {
    return static_cast<std::uint64_t>(subject_.parameters.at(name_ + what));
  }

  const Subject& subject_;
  std::string name_;
  const HeldInputs& held_;
  std::span<const std::vector<double>> companions_;
};

/// `rows` in other coordinates of the stream, lengths taken anew.
void set_values(NeuronRows& rows, std::vector<double> values);

/// Whether somebody may have sorted neurons by any of these numbers.
bool follow_places(std::span<const double> values);

}  // namespace stemma
