// Does talking cost in the simulation what arithmetic says, and nothing where it is free?
#include "pipeline/simulation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace stemma {
namespace {

constexpr double tiny = 1e-9;  // seconds: next to nothing beside any cost here

/// Workers beside a coordinator that does not compute.
MachineLayout workers(int n) { return MachineLayout::uniform(n + 1, n + 1, CoordinatorMode::dedicated); }

std::vector<Task> mixed_tasks(const MachineLayout& machine, std::size_t n) {
  std::vector<Task> tasks;
  const std::vector<double> lengths = uneven_factors(n, 7);
  for (std::size_t i = 0; i < n; ++i) {
    int level = i % 3 == 0 ? static_cast<int>(i) % (machine.top_level() + 1) : 0;
    while (machine.width_at(level) == 0) --level;
    tasks.push_back({std::pow(lengths[i], 15), level});
  }
  return tasks;
}

TEST(Simulation, CostsThatAreNextToNothingChangeNextToNothing) {
  const auto machine = MachineLayout::uniform(257, 32, CoordinatorMode::automatic);
  const auto tasks = mixed_tasks(machine, 2000);
  const Simulated free = simulate(machine, tasks);
  const Simulated cheap = simulate(machine, tasks, {}, {tiny, tiny, tiny, tiny});
  EXPECT_NEAR(cheap.makespan, free.makespan, 0.05 * free.makespan) << "ties may be decided otherwise";
  EXPECT_NEAR(cheap.rank_seconds, free.rank_seconds, 1e-9 * free.rank_seconds) << "the same work";
  EXPECT_EQ(simulate(machine, tasks, {}, MessageCosts{}).makespan, free.makespan);
}

/// Without costs: the numbers of a hand-made schedule, exactly.
TEST(Simulation, WithoutCostsTasksEndWhenTheirSecondsAreOver) {
  const std::vector<Task> tasks = {{3}, {2}, {2}};
  EXPECT_EQ(simulate(workers(2), tasks).makespan, 4);
  EXPECT_EQ(simulate(workers(3), tasks).makespan, 3);
  EXPECT_EQ(simulate(workers(3), tasks).rank_seconds, 7);
}

TEST(Simulation, ATeamPaysForEveryMessageOneAfterTheOther) {
  // Four ranks say hello; each item: its order, its way, the work, the way back, its result, four reports.
  const MessageCosts costs{.report = 0.01, .result = 0.02, .order = 0.04, .latency = 0.25};
  const auto machine = workers(4);
  constexpr int items = 5, width = 4;
  const std::vector<Task> tasks(items, Task{10, 2});
  ASSERT_EQ(machine.width_at(2), width);
  const double once = costs.order + costs.latency + 10 + costs.latency + costs.result + width * costs.report;
  EXPECT_NEAR(simulate(machine, tasks, {}, costs).makespan,
              costs.latency + width * costs.report + items * once, 1e-9);
}

/// Items that are foretold to take long, so that each is a batch of its own, and take no time.
double makespan_of_talk(int ranks, std::size_t items, const MessageCosts& costs) {
  const std::vector<Task> tasks(items, Task{100});
  const std::vector<double> factors(items, tiny);
  return simulate(workers(ranks), tasks, factors, costs).makespan;
}

TEST(Simulation, WhereTheCoordinatorIsTheBottleneckTheMakespanIsMessagesTimesCost) {
  constexpr std::size_t items = 3000;
  for (const int ranks : {1, 16, 300}) {
    const double n = items, p = ranks;
    EXPECT_NEAR(makespan_of_talk(ranks, items, {.report = 0.1}), 0.1 * (p + n), 1e-4) << ranks;
    EXPECT_NEAR(makespan_of_talk(ranks, items, {.result = 0.1}), 0.1 * n, 1e-4) << ranks;
    EXPECT_NEAR(makespan_of_talk(ranks, items, {.order = 0.1}), 0.1 * n, 1e-4) << ranks;
    EXPECT_NEAR(makespan_of_talk(ranks, items, {0.1, 0.2, 0.3}), 0.1 * (p + n) + 0.5 * n, 1e-4) << ranks;
  }
}

TEST(Simulation, ABusyCoordinatorBoundsTheRunFromBelowAndSoDoesTheWork) {
  constexpr std::size_t items = 4000;
  constexpr double seconds = 1;
  const auto machine = workers(64);
  const std::vector<Task> tasks(items, Task{seconds});
  const double work = items * seconds / 64;
  double before = simulate(machine, tasks).makespan;
  for (const double cost : {1e-5, 1e-4, 1e-3, 1e-2, 1e-1}) {
    const double makespan = simulate(machine, tasks, {}, {.result = cost}).makespan;
    EXPECT_GE(makespan, std::max(work, cost * items));
    EXPECT_LE(makespan, work + cost * items + 4 * seconds);
    EXPECT_GE(makespan, before * (1 - 1e-9));
    before = makespan;
  }
}

TEST(Simulation, TheNextBatchIsThereBeforeItIsNeeded) {
  // Much work: every batch but the first and the last few lies ready when the one before ends.
  constexpr std::size_t items = 2000;
  constexpr double latency = 0.1;
  const auto machine = workers(4);
  const std::vector<Task> tasks(items, Task{1});
  const double free = simulate(machine, tasks).makespan;
  const double late = simulate(machine, tasks, {}, {.latency = latency}).makespan;
  EXPECT_GE(late, free + 3 * latency) << "hello, the first order, the last report";
  // Batches of up to ten seconds, so at least fifty in a row, each two ways of a message if nothing hid them.
  EXPECT_LE(late, free + 15 * latency);
}

}  // namespace
}  // namespace stemma
