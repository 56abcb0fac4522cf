// In which coordinates of a base does a candidate's residual stream run, when no token says so?
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analyzers/mlp_weights.hpp"

namespace stemma {

/// The largest neurons of one gated MLP: rows of length 1, n x width row-major. The signs of up and down are
/// free together (both may be turned), so both are turned to where gate and up have a positive cosine.
struct NeuronDirections {
  static constexpr std::size_t invariants = 5;
  std::uint64_t width = 0;
  std::vector<double> gate, up, down;
  std::vector<double> sizes;  ///< |up| |down|
  /// 3 ln|gate| and 3 ln(|up| |down|) less their medians, sqrt(width) times |cos(gate, up)|, s cos(gate,
  /// down) and cos(up, down), s the sign of cos(gate, up): what no rotation, scale, order or sign moves.
  std::vector<std::array<double, invariants>> scalars;

  std::size_t size() const { return sizes.size(); }
};

/// Of the `most` neurons of largest |gate| |up| |down|; those without any of the three are left out. Nothing
/// where a weight is not finite.
std::optional<NeuronDirections> neuron_directions(const NeuronRows& gate, const NeuronRows& up,
                                                  const NeuronRows& down, std::size_t most);

/// A rotation Q, width x width row-major, with x_c ~ x_b Q for the neurons of base and candidate.
struct StreamFit {
  std::vector<double> rotation;
  double scale = 1;   ///< of the candidate's stream: median over pairs of |up'| |down'| / (|up| |down|)
  double cosine = 0;  ///< mean over pairs and over gate, up and down
  int rounds = 0;     ///< until the pairs stayed the same, at most 12
};

/// Layer by layer the neurons of both models are paired by the optimal assignment of their scalars; then Q is
/// the orthogonal matrix nearest to the sum of all x_b^T x_c, and neurons are paired anew by their cosines in
/// common coordinates, until the pairs stay. Whatever is tested with Q must not be tested on these layers: of
/// strangers, too, it makes the fitted ones alike. Both lists are of the same layers. Nothing where a layer
/// has no neurons or the decomposition gives up. Throws std::invalid_argument where lists or widths differ.
std::optional<StreamFit> fit_stream(std::span<const NeuronDirections> base,
                                    std::span<const NeuronDirections> candidate);

}  // namespace stemma
