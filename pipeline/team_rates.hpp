// What does it cost that ranks decompose a matrix together?
#pragma once
#include <cstdint>
#include <span>

#include "analyzers/distributed/communicator.hpp"
#include "pipeline/cost_model.hpp"

namespace stemma {

/// How long one decomposition took on two ranks.
struct PairTiming {
  std::uint64_t k = 0;
  double alone = 0;     ///< seconds on one rank, by its rates
  double together = 0;  ///< seconds on both
};

/// The two numbers of a cost model that explain both timings, which are of different sizes: e and a in
/// together = alone / (2 e) + k a. Efficiency lies in [0.05, 1], steps take between 1 us and 10 ms.
struct TeamRates {
  double efficiency = 0;
  double step_seconds = 0;
};
TeamRates team_rates_of(const PairTiming& small, const PairTiming& large);

/// Collective. Neighbours on one node decompose two matrices in pairs, all at the same time, and put what
/// that says into `own`, their rates as single ranks; a rank that finds no partner keeps what it has. Takes
/// about two seconds.
void measure_teams(const Communicator& ranks, CostModel& own);

}  // namespace stemma
