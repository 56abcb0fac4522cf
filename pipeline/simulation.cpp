// A queue of ends, and the scheduler that the coordinator uses.
#include "pipeline/simulation.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <queue>
#include <random>

namespace stemma {
namespace {

constexpr double spread = 0.1;

/// What the coordinator is told: the end of a block's assignment, or (block 0) the result of one item.
struct Arrival {
  double at = 0;
  int block = 0;
  bool operator>(const Arrival& other) const {
    return at > other.at || (at == other.at && block > other.block);
  }
};

class Simulation {
 public:
  Simulation(const MachineLayout& machine, std::span<const Task> tasks, std::span<const double> factors,
             const MessageCosts& costs)
      : machine_(machine),
        tasks_(tasks),
        factors_(factors),
        costs_(costs),
        scheduler_(machine, tasks),
        free_at_(static_cast<std::size_t>(machine.slots()), 0) {}

  Simulated run() {
    arrivals_.push({costs_.latency, machine_.number_of({machine_.top_level(), 0})});
    while (!arrivals_.empty()) {
      const double at = arrivals_.top().at;
      clock_ = std::max(clock_, at);
      bool reported = false;
      // What ends together is free together: a wide item finds its block before narrow ones take parts of it.
      for (; !arrivals_.empty() && arrivals_.top().at == at; arrivals_.pop())
        reported = take(arrivals_.top().block) || reported;
      if (!reported) continue;
      result_.makespan = clock_;
      for (const Assignment& assignment : scheduler_.assign(clock_)) send(assignment);
    }
    return result_;
  }

 private:
  /// Whether it was a report, which sets ranks free.
  bool take(int block) {
    if (block == 0) {
      clock_ += costs_.result;
      return false;
    }
    const Block reporting = machine_.block_of(block);
    const int ranks =
        reporting.level == machine_.top_level() ? machine_.workers() : machine_.width_at(reporting.level);
    clock_ += costs_.report * ranks;
    scheduler_.release_block(block);
    return true;
  }

  void send(const Assignment& assignment) {
    const int level = tasks_[assignment.items.front()].level;
    const int slots = 1 << level, first = assignment.block * slots - machine_.slots();
    double& free = free_at_[static_cast<std::size_t>(first)];
    clock_ += costs_.order * static_cast<double>(assignment.items.size());
    const double begin = std::max(clock_ + costs_.latency, free);
    double seconds = 0;
    for (const std::uint32_t i : assignment.items) {
      seconds += tasks_[i].seconds * (factors_.empty() ? 1 : factors_[i]);
      if (costs_.result > 0) arrivals_.push({begin + seconds + costs_.latency, 0});
    }
    result_.rank_seconds += seconds * machine_.width_at(level);
    const double end = begin + seconds;
    for (int s = first; s < first + slots; ++s) free_at_[static_cast<std::size_t>(s)] = end;
    arrivals_.push({end + costs_.latency, assignment.block});
  }

  const MachineLayout& machine_;
  std::span<const Task> tasks_;
  std::span<const double> factors_;
  MessageCosts costs_;
  Scheduler scheduler_;
  std::priority_queue<Arrival, std::vector<Arrival>, std::greater<>> arrivals_;
  std::vector<double> free_at_;  ///< by slot
  double clock_ = 0;             ///< of the coordinator: when it is through with what it has taken
  Simulated result_;
};

}  // namespace

Simulated simulate(const MachineLayout& machine, std::span<const Task> tasks, std::span<const double> factors,
                   const MessageCosts& costs) {
  return Simulation(machine, tasks, factors, costs).run();
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
