// Do the rules hand out everything once, wide before narrow, and hold back what would make a team wait?
#include "pipeline/scheduler.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <map>
#include <queue>
#include <random>

#include "pipeline/simulation.hpp"

namespace stemma {
namespace {

constexpr CoordinatorMode automatic = CoordinatorMode::automatic;

std::vector<Task> narrow_tasks(std::initializer_list<double> seconds) {
  std::vector<Task> tasks;
  for (const double s : seconds) tasks.push_back({s});
  return tasks;
}

/// Everybody comes at once.
void all_come(Scheduler& scheduler, const MachineLayout& machine) {
  for (int slot = 0; slot < machine.slots(); ++slot)
    if (machine.rank_of(slot) >= 0) scheduler.release(slot);
}

TEST(Scheduler, NarrowItemsGoLongestFirst) {
  const auto machine = MachineLayout::uniform(2, 2, automatic);
  const auto tasks = narrow_tasks({30, 50, 40});
  Scheduler scheduler(machine, tasks);
  all_come(scheduler, machine);
  const auto out = scheduler.assign(0);
  ASSERT_GE(out.size(), 2U);
  EXPECT_EQ(out[0].items, std::vector<std::uint32_t>{1});
  EXPECT_EQ(out[1].items, std::vector<std::uint32_t>{2});
}

TEST(Scheduler, BatchesShrinkAsTheWorkRunsOut) {
  const auto machine = MachineLayout::uniform(1, 1, automatic);
  const std::vector<Task> tasks(10'000, Task{0.01});
  Scheduler scheduler(machine, tasks);
  scheduler.release(0);
  std::vector<std::size_t> sizes;
  for (double now = 0; !scheduler.handed_out_all(); now += 1) {
    for (const Assignment& a : scheduler.assign(now)) sizes.push_back(a.items.size());
    scheduler.release(0);
  }
  EXPECT_EQ(sizes.front(), 256U);  // 25 s would be a quarter, 10 s the most, 256 items are less
  EXPECT_LE(sizes.back(), 10U);    // 0.1 s at the end
  EXPECT_TRUE(std::is_sorted(sizes.rbegin(), sizes.rend()));
}

TEST(Scheduler, AWideItemWaitsForItsBlockAndNarrowOnesFillIn) {
  const auto machine = MachineLayout::uniform(5, 5, automatic);  // slots 0 to 3 may be a team, 4 is alone
  std::vector<Task> tasks = narrow_tasks({5, 3, 1, 1});
  tasks.push_back({10, 2});  // item 4: four ranks
  Scheduler scheduler(machine, tasks);
  for (const int slot : {0, 1, 2}) {
    scheduler.release(slot);
    EXPECT_TRUE(scheduler.assign(0).empty()) << "slot 3 may come at any moment";
  }
  scheduler.release(4);  // in no team
  auto out = scheduler.assign(0);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].items.front(), 0U);
  scheduler.release(3);
  out = scheduler.assign(0);
  ASSERT_GE(out.size(), 1U);
  EXPECT_EQ(out[0].items, std::vector<std::uint32_t>{4});
  EXPECT_EQ(out[0].block, machine.number_of({2, 0}));
}

TEST(Scheduler, WhatEndsBeforeTheReservationMayRun) {
  const auto machine = MachineLayout::uniform(5, 5, CoordinatorMode::dedicated);  // four slots
  std::vector<Task> tasks = narrow_tasks({3, 1});
  tasks.push_back({10, 1});  // item 2: a pair
  tasks.push_back({8, 1});   // item 3: a pair
  tasks.push_back({20, 2});  // item 4: four ranks
  Scheduler scheduler(machine, tasks);
  all_come(scheduler, machine);
  auto out = scheduler.assign(0);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].items.front(), 4U);
  for (int slot = 0; slot < 4; ++slot) scheduler.release(slot);
  out = scheduler.assign(20);
  ASSERT_GE(out.size(), 2U);
  EXPECT_EQ(out[0].items.front(), 2U);
  EXPECT_EQ(out[1].items.front(), 3U);
}

TEST(Scheduler, BackfillStopsAtTheReservation) {
  const auto machine = MachineLayout::uniform(3, 3, CoordinatorMode::dedicated);  // two slots, one pair
  std::vector<Task> tasks = narrow_tasks({7, 4, 2});
  tasks.push_back({10, 1});  // items 3 and 4: pairs
  tasks.push_back({9, 1});
  Scheduler scheduler(machine, tasks);
  all_come(scheduler, machine);
  ASSERT_EQ(scheduler.assign(0).size(), 1U);
  // One member of the team is through long before the other: five seconds are predicted to be left.
  scheduler.release(0);
  auto out = scheduler.assign(5);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].items, std::vector<std::uint32_t>{1}) << "7 s do not fit, 4 s do";
  scheduler.release(1);
  EXPECT_TRUE(scheduler.assign(8.5).empty()) << "the other one has half a second left";
  scheduler.release(0);
  out = scheduler.assign(9);
  ASSERT_GE(out.size(), 1U);
  EXPECT_EQ(out[0].items, std::vector<std::uint32_t>{4});
}

/// Plays a schedule with times that differ from the predictions, and checks it as it goes.
void play(const MachineLayout& machine, const std::vector<Task>& tasks, unsigned seed) {
  Scheduler scheduler(machine, tasks);
  std::mt19937 random(seed);
  std::vector<int> done(tasks.size(), 0);
  std::vector<int> busy(static_cast<std::size_t>(machine.slots()), 0);
  struct End {
    double at;
    int slot;
    bool operator>(const End& o) const { return at > o.at; }
  };
  std::priority_queue<End, std::vector<End>, std::greater<>> ends;
  std::vector<double> free_at(static_cast<std::size_t>(machine.slots()), 0);
  std::vector<int> arrivals;
  for (int slot = 0; slot < machine.slots(); ++slot)
    if (machine.rank_of(slot) >= 0) arrivals.push_back(slot);
  std::shuffle(arrivals.begin(), arrivals.end(), random);
  bool wide_left = std::any_of(tasks.begin(), tasks.end(), [](const Task& t) { return t.level > 0; });
  const auto hand_out = [&](double now) {
    for (const Assignment& a : scheduler.assign(now)) {
      const Block block = machine.block_of(a.block);
      ASSERT_TRUE(machine.may_team(block));
      for (const std::uint32_t i : a.items) {
        ++done[i];
        ASSERT_EQ(tasks[i].level, block.level);
      }
      if (block.level > 0) {
        ASSERT_EQ(a.items.size(), 1U);
      }
      const double seconds = a.seconds * std::exp(std::normal_distribution<>(0, 0.3)(random));
      for (int s = block.index << block.level; s < (block.index + 1) << block.level; ++s) {
        if (machine.rank_of(s) < 0) continue;
        const auto at = static_cast<std::size_t>(s);
        if (block.level > 0) {
          ASSERT_EQ(busy[at], 0) << "a team's ranks owe nothing";
        } else if (wide_left) {
          ASSERT_EQ(busy[at], 0) << "no second batch while a wide item waits";
        }
        ASSERT_LT(busy[at], 2);
        ++busy[at];
        // Members of a team are through at slightly different times.
        free_at[at] = std::max(now, free_at[at]) + seconds + 1e-3 * static_cast<double>(s % 7);
        ends.push({free_at[at], s});
      }
      wide_left = false;
      for (std::size_t i = 0; i < tasks.size(); ++i) wide_left |= tasks[i].level > 0 && done[i] == 0;
    }
  };
  for (const int slot : arrivals) {
    scheduler.release(slot);
    hand_out(0);
  }
  double now = 0;
  while (!ends.empty()) {
    const End end = ends.top();
    ends.pop();
    now = end.at;
    --busy[static_cast<std::size_t>(end.slot)];
    scheduler.release(end.slot);
    hand_out(now);
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) ASSERT_EQ(done[i], 1) << "item " << i;
  EXPECT_TRUE(scheduler.handed_out_all());
}

TEST(Scheduler, EverythingIsHandedOutOnceWhateverTheMixOfWidths) {
  std::mt19937 random(3);
  for (const auto& [ranks, per_node] :
       std::map<int, int>{{1, 1}, {3, 3}, {5, 5}, {31, 8}, {65, 16}, {200, 48}}) {
    const auto machine = MachineLayout::uniform(ranks, per_node, automatic);
    for (unsigned seed = 0; seed < 6; ++seed) {
      std::vector<Task> tasks;
      for (int i = 0; i < 150; ++i) {
        int level = std::uniform_int_distribution<>(0, machine.top_level())(random);
        if (seed % 2 == 0 && i % 3 != 0) level = 0;
        while (machine.width_at(level) == 0) --level;
        tasks.push_back({std::exp(std::normal_distribution<>(0, 1.5)(random)), level});
      }
      play(machine, tasks, seed);
    }
  }
}

TEST(Scheduler, InfeasibleItemsAreNeverHandedOut) {
  const auto machine = MachineLayout::uniform(1, 1, automatic);
  std::vector<Task> tasks = narrow_tasks({3, 2, 1});
  tasks[1].feasible = false;
  Scheduler scheduler(machine, tasks);
  std::vector<std::uint32_t> seen;
  for (int turn = 0; turn < 4; ++turn) {
    scheduler.release(0);
    for (const Assignment& a : scheduler.assign(turn))
      seen.insert(seen.end(), a.items.begin(), a.items.end());
  }
  EXPECT_EQ(seen, (std::vector<std::uint32_t>{0, 2}));
  EXPECT_TRUE(scheduler.handed_out_all());
}

TEST(Scheduler, AnItemForATeamThatDoesNotExistIsABug) {
  const auto machine = MachineLayout::uniform(3, 3, automatic);
  const std::vector<Task> tasks = {{1, 2}};
  EXPECT_THROW(Scheduler(machine, tasks), std::logic_error);
}

TEST(Scheduler, PredictionsFollowWhatItemsTake) {
  const auto machine = MachineLayout::uniform(1, 1, automatic);
  const std::vector<Task> tasks = {{2, 0, true, 1}, {2, 0, true, 2}};
  Scheduler scheduler(machine, tasks);
  scheduler.learn(0, 4);
  EXPECT_DOUBLE_EQ(scheduler.correction(1), 0.8 + 0.2 * 2);
  EXPECT_DOUBLE_EQ(scheduler.correction(2), 1);
  EXPECT_DOUBLE_EQ(scheduler.seconds_of(0), 2 * 1.2);
  for (int i = 0; i < 100; ++i) scheduler.learn(0, 1000);
  EXPECT_DOUBLE_EQ(scheduler.correction(1), 4);
  for (int i = 0; i < 100; ++i) scheduler.learn(0, 0);
  EXPECT_DOUBLE_EQ(scheduler.correction(1), 0.25);
}

TEST(Simulation, OneRankTakesTheSumAndEqualItemsTakeTheirRounds) {
  const auto one = MachineLayout::uniform(1, 1, automatic);
  const auto tasks = narrow_tasks({3, 2, 1, 0.5});
  EXPECT_DOUBLE_EQ(simulate(one, tasks).makespan, 6.5);
  const auto four = MachineLayout::uniform(4, 4, automatic);
  const std::vector<Task> equal(10, Task{20});
  EXPECT_DOUBLE_EQ(simulate(four, equal).makespan, 60);
  EXPECT_DOUBLE_EQ(simulate(four, equal).rank_seconds, 200);
}

TEST(Simulation, TeamsFollowEachOtherOnTheirBlocks) {
  const auto machine = MachineLayout::uniform(5, 5, automatic);  // two pairs, or one team of four
  std::vector<Task> tasks = {{10, 2}, {6, 1}, {5, 1}, {4, 1}};
  // Four together until 10; then the pairs: 6 and 5 followed by 4, which ends at 19.
  EXPECT_DOUBLE_EQ(simulate(machine, tasks).makespan, 19);
  EXPECT_DOUBLE_EQ(simulate(machine, tasks).rank_seconds, 70);
  tasks.push_back({1});  // rank 0 alone, beside them
  EXPECT_DOUBLE_EQ(simulate(machine, tasks).makespan, 19);
}

TEST(Simulation, UnevenFactorsHaveMeanOneAndASpreadOfTenPercent) {
  const std::vector<double> factors = uneven_factors(100'000, 1);
  double sum = 0, squares = 0;
  for (const double f : factors) sum += f, squares += std::log(f) * std::log(f);
  EXPECT_NEAR(sum / 1e5, 1, 2e-3);
  EXPECT_NEAR(std::sqrt(squares / 1e5), 0.1, 2e-3);
  EXPECT_EQ(uneven_factors(100, 1), std::vector<double>(factors.begin(), factors.begin() + 100));
  EXPECT_NE(uneven_factors(100, 2), uneven_factors(100, 1));
}

TEST(Simulation, SixteenThousandRanksAndAHundredThousandItemsTakeSeconds) {
  const auto machine = MachineLayout::uniform(16384, 128, automatic);
  std::mt19937 random(1);
  std::vector<Task> tasks;
  for (int i = 0; i < 100'000; ++i)
    tasks.push_back({std::exp(std::normal_distribution<>(2, 0.3)(random)), i % 20 == 0 ? 1 + i / 20 % 8 : 0});
  const auto begin = std::chrono::steady_clock::now();
  const Simulated run = simulate(machine, tasks);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  EXPECT_LT(seconds, 20) << "measured: below one";
  EXPECT_GT(run.rank_seconds / (run.makespan * machine.workers()), 0.5);
  std::printf("%.2f s, ranks busy %.2f of the time\n", seconds,
              run.rank_seconds / (run.makespan * machine.workers()));
}

TEST(Scheduler, NothingIsHandedOutThatWouldEndTooLate) {
  const auto machine = MachineLayout::uniform(1, 1, automatic);
  const auto tasks = narrow_tasks({50, 8, 4, 2.5, 1});
  Scheduler scheduler(machine, tasks);
  scheduler.end_by(12);
  scheduler.release(0);
  const auto first = scheduler.assign(0);  // 1.3 x 8 is less than 12, and 1.3 x (8 + 4) is more
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].items, std::vector<std::uint32_t>{1});
  scheduler.release(0);
  const auto second = scheduler.assign(8);  // 4 seconds are left: 1.3 x 2.5 is less
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].items, std::vector<std::uint32_t>{3});
  EXPECT_FALSE(scheduler.handed_out_all());
  scheduler.release(0);
  EXPECT_TRUE(scheduler.assign(11).empty());  // 1.3 x 1 is more
  EXPECT_TRUE(scheduler.handed_out_all());
  EXPECT_EQ(scheduler.handed_out(), 2U);
}

TEST(Scheduler, ALaterEndLetsMoreFitAndAnEarlierOneLess) {
  const auto machine = MachineLayout::uniform(1, 1, automatic);
  const auto tasks = narrow_tasks({10, 10});
  Scheduler scheduler(machine, tasks);
  scheduler.end_by(20);
  scheduler.release(0);
  EXPECT_EQ(scheduler.assign(0).size(), 1U);
  scheduler.end_by(30);
  scheduler.release(0);
  EXPECT_EQ(scheduler.assign(10).size(), 1U);
}

TEST(Scheduler, WideItemsThatAreTooLateFreeTheirBlock) {
  const auto machine = MachineLayout::uniform(5, 5, automatic);  // slots 0 to 3 may be a team, 4 is alone
  std::vector<Task> tasks = narrow_tasks({3, 3, 3, 3, 3, 1});
  tasks.push_back({100, 2});  // four ranks
  tasks.push_back({10, 2});
  Scheduler scheduler(machine, tasks);
  scheduler.end_by(20);
  all_come(scheduler, machine);
  std::size_t narrow = 0, wide = 0;
  for (double now = 0; now < 25 && !scheduler.handed_out_all(); now += 1) {
    for (const Assignment& a : scheduler.assign(now)) {
      EXPECT_LE(now + Scheduler::caution * a.seconds, 20) << now;
      for (const std::uint32_t i : a.items) {
        narrow += i < 6;
        wide += i == 7;
        EXPECT_NE(i, 6U);
      }
    }
    if (static_cast<int>(now) % 10 == 9) all_come(scheduler, machine);
  }
  EXPECT_EQ(narrow, 6U);
  EXPECT_EQ(wide, 1U);
  EXPECT_TRUE(scheduler.handed_out_all());
}

}  // namespace
}  // namespace stemma
