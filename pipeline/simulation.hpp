// How long would these tasks take on this machine, if every one took as long as foretold?
#pragma once
#include <span>

#include "pipeline/scheduler.hpp"

namespace stemma {

struct Simulated {
  double makespan = 0;      ///< seconds
  double rank_seconds = 0;  ///< sum over tasks of ranks times time
};

/// What talking costs, in seconds. The coordinator does one thing at a time, in order of arrival; ranks and
/// the network are never in each other's way.
struct MessageCosts {
  double report = 0;   ///< the coordinator takes a hello or an idle of one rank, and answers it
  double result = 0;   ///< it takes the result of one item
  double order = 0;    ///< it writes the order for one item
  double latency = 0;  ///< of any message, one way
};

/// Plays the scheduler's rules: all ranks come at time 0. `factors`: what each task takes, in units of its
/// prediction; empty for all 1. The run ends when the last report was taken. Reports that arrive at the same
/// time, and all of one team, are taken before anything is handed out. O(n log n) for n tasks.
Simulated simulate(const MachineLayout& machine, std::span<const Task> tasks,
                   std::span<const double> factors = {}, const MessageCosts& costs = {});

/// One factor for each of n tasks: log-normal with mean 1 and a spread of 10 %, the same for the same seed on
/// every machine.
std::vector<double> uneven_factors(std::size_t n, unsigned seed);

}  // namespace stemma
