// How long would these tasks take on this machine, if every one took as long as foretold?
#pragma once
#include <span>

#include "pipeline/scheduler.hpp"

namespace stemma {

struct Simulated {
  double makespan = 0;      ///< seconds
  double rank_seconds = 0;  ///< sum over tasks of ranks times time
};

/// Plays the scheduler's rules: all ranks come at time 0, messages take no time. `factors`: what each task
/// takes, in units of its prediction; empty for all 1. O(n log n) for n tasks.
Simulated simulate(const MachineLayout& machine, std::span<const Task> tasks,
                   std::span<const double> factors = {});

/// One factor for each of n tasks: log-normal with mean 1 and a spread of 10 %, the same for the same seed on
/// every machine.
std::vector<double> uneven_factors(std::size_t n, unsigned seed);

}  // namespace stemma
