// How long do ranks take for something together?
#pragma once
#include "analyzers/distributed/communicator.hpp"
#include "pipeline/clock.hpp"

namespace stemma {

/// Collective. Seconds from the moment when all are there until the last one is through.
template <typename Work>
double collective_seconds(const Communicator& ranks, Work work) {
  ranks.all_reduce_min(0);
  const Stopwatch watch;
  work();
  ranks.all_reduce_min(0);
  return watch.seconds();
}

}  // namespace stemma
