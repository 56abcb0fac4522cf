// How long will an item take on one rank?
#pragma once
#include <string>

#include "analyzers/analyzer.hpp"

namespace stemma {

/// Rates of one rank. The built-in reference is one core of a current server beside busy neighbours.
struct CostModel {
  double read_rate = 0.5e9;    ///< bytes per second and rank
  double flop_rate = 4.0e9;    ///< floating-point operations per second and rank
  double item_seconds = 2e-3;  ///< message, opening, bookkeeping
  std::string name = "built-in reference";

  /// Seconds of work that asks for `cost` on one rank.
  double seconds(const Cost& cost) const {
    const double shared =
        cost.decomposition ? cost.decomposition->product_flops() + cost.decomposition->eigenvalue_flops() : 0;
    return cost.bytes / read_rate + (cost.flops + shared) / flop_rate + item_seconds;
  }
};

}  // namespace stemma
