// What is asked of neurons before they may say that two models did not start apart?
#pragma once
#include <cstdint>

#include "analyzers/thresholds.hpp"

namespace stemma {

/// What a user may set of it; what strangers may share (thresholds::universal_neurons) is none of that.
struct LineageRule {
  /// Of false discoveries over all tests of a corpus (Benjamini and Yekutieli), and of errors over all pairs
  /// whose weights were asked (Bonferroni).
  double level = thresholds::false_discoveries;
  double share = thresholds::agreeing_neurons;        ///< of its neurons from which on an MLP agrees
  double layers_share = thresholds::agreeing_layers;  ///< of the MLPs that were compared, which have to agree
  bool operator==(const LineageRule&) const = default;

  /// Whether so many agreeing MLPs are enough of those that were compared.
  bool holds_for(std::uint64_t agreeing, std::uint64_t compared) const {
    return compared == 0 || static_cast<double>(agreeing) / static_cast<double>(compared) >= layers_share;
  }
};

}  // namespace stemma
