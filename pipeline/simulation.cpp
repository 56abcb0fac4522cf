// A queue of ends, and the scheduler that the coordinator uses.
#include "pipeline/simulation.hpp"

#include <cmath>
#include <numbers>
#include <queue>
#include <random>

namespace stemma {
namespace {

constexpr double spread = 0.1;

/// An assignment that is being worked on.
struct Ending {
  double at = 0;
  int block = 0;
  bool operator>(const Ending& other) const {
    return at > other.at || (at == other.at && block > other.block);
  }
};

}  // namespace

Simulated simulate(const MachineLayout& machine, std::span<const Task> tasks,
                   std::span<const double> factors) {
  Simulated result;
  Scheduler scheduler(machine, tasks);
  std::priority_queue<Ending, std::vector<Ending>, std::greater<>> endings;
  std::vector<double> free_at(static_cast<std::size_t>(machine.slots()), 0);
  const auto hand_out = [&](double now) {
    for (const Assignment& a : scheduler.assign(now)) {
      double seconds = 0;
      for (const std::uint32_t i : a.items) seconds += tasks[i].seconds * (factors.empty() ? 1 : factors[i]);
      const int level = tasks[a.items.front()].level;
      const int slots = 1 << level, first = a.block * slots - machine.slots();
      result.rank_seconds += seconds * machine.width_at(level);
      double& free = free_at[static_cast<std::size_t>(first)];
      const double end = std::max(now, free) + seconds;
      for (int s = first; s < first + slots; ++s) free_at[static_cast<std::size_t>(s)] = end;
      endings.push({end, a.block});
    }
  };
  scheduler.release_block(machine.number_of({machine.top_level(), 0}));
  hand_out(0);
  while (!endings.empty()) {
    const double now = endings.top().at;
    result.makespan = now;
    // What ends together is free together: a wide item finds its block before narrow ones take parts of it.
    while (!endings.empty() && endings.top().at == now) {
      scheduler.release_block(endings.top().block);
      endings.pop();
    }
    hand_out(now);
  }
  return result;
}

std::vector<double> uneven_factors(std::size_t n, unsigned seed) {
  std::mt19937_64 random(seed);
  const auto uniform = [&] { return (static_cast<double>(random() >> 11U) + 0.5) * 0x1p-53; };
  std::vector<double> factors(n);
  for (double& factor : factors) {
    const double length = std::sqrt(-2 * std::log(uniform()));  // Box and Muller
    const double normal = length * std::cos(2 * std::numbers::pi * uniform());
    factor = std::exp(spread * normal - spread * spread / 2);
  }
  return factors;
}

}  // namespace stemma
