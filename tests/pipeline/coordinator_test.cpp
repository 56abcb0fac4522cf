// Is every item handed out exactly once, at any number of ranks, whoever is slow? Simulated, without MPI.
#include "pipeline/coordinator.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <new>
#include <queue>
#include <random>
#include <set>

namespace stemma {
namespace {

Plan plan_of(const std::vector<double>& seconds) {
  Plan plan;
  for (const double s : seconds) plan.items.push_back({.seconds = s});
  std::stable_sort(plan.items.begin(), plan.items.end(),
                   [](const Item& a, const Item& b) { return a.seconds > b.seconds; });
  return plan;
}

std::vector<std::byte> numbers(std::span<const std::uint32_t> items) {
  const auto bytes = std::as_bytes(items);
  return {bytes.begin(), bytes.end()};
}

std::vector<std::uint32_t> items_in(const Message& message) {
  std::vector<std::uint32_t> items(message.payload.size() / sizeof(std::uint32_t));
  std::memcpy(items.data(), message.payload.data(), message.payload.size());
  return items;
}

/// Workers with these ranks on one node, beside a coordinator that does not compute or is rank 0 of them.
MachineLayout one_node(const std::vector<int>& ranks) {
  return MachineLayout({ranks}, 1 + *std::max_element(ranks.begin(), ranks.end()));
}

/// Plays the protocol in simulated time: workers take as long as the plan says, times a factor of their own.
struct Simulation {
  double makespan = 0;
  std::vector<int> times_done;
  std::size_t largest_backlog = 0;
};

Simulation simulate(const Plan& plan, int workers, unsigned seed) {
  std::vector<int> ranks(static_cast<std::size_t>(workers));
  for (int w = 0; w < workers; ++w) ranks[static_cast<std::size_t>(w)] = w;
  double clock = 0;
  Coordinator coordinator(plan, one_node(ranks), numbers, {}, [&] { return clock; });
  std::mt19937 random(seed);
  std::vector<double> factor(ranks.size());
  for (double& f : factor) f = std::uniform_real_distribution<>(0.7, 1.4)(random);

  Simulation result;
  result.times_done.assign(plan.items.size(), 0);
  std::vector<std::queue<std::vector<std::uint32_t>>> backlog(ranks.size());
  std::vector<double> free_at(ranks.size(), 0);
  using Event = std::pair<double, int>;  // a worker finishes its batch
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events;
  const auto start = [&](int w, double now) {
    auto& queue = backlog[static_cast<std::size_t>(w)];
    if (queue.empty()) return;
    double seconds = 0;
    for (const std::uint32_t i : queue.front()) {
      ++result.times_done[i];
      seconds += plan.items[i].seconds * factor[static_cast<std::size_t>(w)];
    }
    free_at[static_cast<std::size_t>(w)] = now + seconds;
    events.emplace(now + seconds, w);
  };
  const auto deliver = [&](const std::vector<Message>& messages, double now) {
    for (const Message& m : messages) {
      if (m.kind != MessageKind::assign) continue;
      auto& queue = backlog[static_cast<std::size_t>(m.peer)];
      queue.push(items_in(m));
      result.largest_backlog = std::max(result.largest_backlog, queue.size());
      if (queue.size() == 1) start(m.peer, now);
    }
  };
  for (const int w : ranks) deliver(coordinator.handle({MessageKind::hello, w, {}}), 0);
  while (!events.empty()) {
    const auto [now, w] = events.top();
    events.pop();
    result.makespan = clock = now;
    backlog[static_cast<std::size_t>(w)].pop();
    if (!backlog[static_cast<std::size_t>(w)].empty()) start(w, now);
    deliver(coordinator.handle({MessageKind::idle, w, {}}), now);
  }
  EXPECT_TRUE(coordinator.finished());
  return result;
}

std::vector<double> uneven_items(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<double> seconds(n);
  for (double& s : seconds) s = std::exp(std::normal_distribution<>(-3, 1.5)(random));
  return seconds;
}

TEST(Coordinator, EveryItemIsDoneOnceAtHundredsOfRanks) {
  for (const int workers : {1, 2, 3, 7, 64, 500}) {
    const Plan plan = plan_of(uneven_items(3000, 5));
    const Simulation run = simulate(plan, workers, 11);
    for (const int times : run.times_done) ASSERT_EQ(times, 1) << workers << " workers";
    EXPECT_LE(run.largest_backlog, 2U);
  }
}

TEST(Coordinator, TheMakespanStaysNearTheLowerBound) {
  for (const int workers : {2, 16, 128}) {
    const Plan plan = plan_of(uneven_items(6000, 3));
    double work = 0, longest = 0;
    for (const Item& item : plan.items) {
      work += item.seconds;
      longest = std::max(longest, item.seconds);
    }
    // Speeds from 0.7 to 1.4: the mean worker needs about 1.02 times the prediction, the slowest 1.4.
    const double bound = std::max(work / workers, longest);
    EXPECT_LT(simulate(plan, workers, 17).makespan, 1.35 * bound + 1.4 * longest) << workers;
  }
}

/// Ranks that take their orders one by one; whoever is chosen to speak next decides the order of arrival. A
/// team's member can end its part only when all members have come to it, as in a collective.
class Crowd {
 public:
  Crowd(const Plan& plan, const MachineLayout& machine, unsigned seed)
      : plan_(plan),
        machine_(machine),
        random_(seed),
        coordinator_(
            plan, machine, numbers,
            [](std::uint32_t item, int block, std::span<const int> members) {
              std::vector<std::uint32_t> words{item, static_cast<std::uint32_t>(block)};
              for (const int rank : members) words.push_back(static_cast<std::uint32_t>(rank));
              return numbers(words);
            },
            [this] { return clock_; }),
        times_done(plan.items.size(), 0) {
    for (int slot = 0; slot < machine.slots(); ++slot)
      if (machine.rank_of(slot) >= 0) ranks_[machine.rank_of(slot)];
  }

  /// Runs until everybody stopped. `culprit` fails instead of ending its `failing`-th order, when it has so
  /// many.
  void run(int culprit = -1, int failing = 0) {
    for (int idle_turns = 0; !coordinator_.finished(); ++idle_turns) {
      ASSERT_LT(idle_turns, 100'000) << "nobody can go on";
      clock_ += std::exponential_distribution<>(10)(random_);
      auto at = ranks_.begin();
      std::advance(at, std::uniform_int_distribution<std::size_t>(0, ranks_.size() - 1)(random_));
      auto& [rank, r] = *at;
      if (r.stopped || r.failed) continue;
      if (!r.here) {
        r.here = true;
        deliver(coordinator_.handle({MessageKind::hello, rank, {}}));
      } else if (!r.orders.empty()) {
        work(rank, r, culprit, failing);
      } else {
        continue;
      }
      idle_turns = 0;
    }
  }

 private:
  struct Rank {
    std::queue<Message> orders;
    bool here = false, stopped = false, failed = false, entered = false;
    int done = 0;
  };

  void work(int rank, Rank& r, int culprit, int failing) {
    const Message& order = r.orders.front();
    const std::vector<std::uint32_t> words = items_in(order);
    const bool team = order.kind == MessageKind::assign_team;
    if (team && !r.entered) {
      r.entered = true;
      for (std::size_t m = 2; m < words.size(); ++m) {
        Rank& member = ranks_.at(static_cast<int>(words[m]));
        ASSERT_FALSE(member.orders.empty());
        ASSERT_EQ(items_in(member.orders.front()), words) << "all members come to the same order next";
      }
      ++present_[words[0]];
    }
    if (team && present_[words[0]] < words.size() - 2) return;  // waits for the others
    if (team ? words[2] == static_cast<std::uint32_t>(rank) : true)
      for (std::size_t i = 0; i < (team ? 1 : words.size()); ++i) {
        ++times_done[words[i]];
        coordinator_.learn(words[i], plan_.items[words[i]].seconds * 1.5);
        deliver(coordinator_.handle({MessageKind::result, rank, {}}));
      }
    r.orders.pop();
    r.entered = false;
    if (rank == culprit && r.done++ == failing) {
      r.failed = true;
      deliver(coordinator_.handle({MessageKind::failed, rank, {}}));
      return;
    }
    deliver(coordinator_.handle({MessageKind::idle, rank, {}}));
  }

  void deliver(const std::vector<Message>& messages) {
    for (const Message& m : messages) {
      Rank& to = ranks_.at(m.peer);
      if (m.kind == MessageKind::stop) {
        EXPECT_FALSE(to.stopped) << "once";
        EXPECT_TRUE(to.orders.empty());
        to.stopped = true;
        continue;
      }
      if (m.kind == MessageKind::assign_team) {
        const auto words = items_in(m);
        const Block block = machine_.block_of(static_cast<int>(words[1]));
        EXPECT_TRUE(machine_.may_team(block));
        EXPECT_EQ(machine_.width_at(block.level), plan_.items[words[0]].width);
        EXPECT_TRUE(std::is_sorted(words.begin() + 2, words.end()));
        EXPECT_TRUE(to.orders.empty()) << "it owes nothing";
      }
      EXPECT_FALSE(to.stopped);
      to.orders.push(m);
      EXPECT_LE(to.orders.size(), 2U);
    }
  }

  const Plan& plan_;
  const MachineLayout& machine_;
  std::mt19937 random_;
  double clock_ = 0;
  Coordinator coordinator_;
  std::map<int, Rank> ranks_;
  std::map<std::uint32_t, std::size_t> present_;  ///< members that have come, by item

 public:
  std::vector<int> times_done;
};

Plan mixed_plan(const MachineLayout& machine, unsigned seed) {
  std::mt19937 random(seed);
  Plan plan;
  for (int i = 0; i < 40; ++i) {
    int level = std::uniform_int_distribution<>(0, machine.top_level())(random);
    if (i % 2 == 0) level = 0;
    while (machine.width_at(level) == 0) --level;
    plan.items.push_back(
        {.width = machine.width_at(level), .seconds = std::exp(std::normal_distribution<>(-1, 1)(random))});
  }
  return plan;
}

TEST(Coordinator, TeamsAndBatchesAreDoneOnceInEveryOrderOfArrival) {
  for (const auto& [ranks, per_node] : std::map<int, int>{{3, 3}, {5, 5}, {9, 9}, {31, 8}, {70, 16}}) {
    const auto machine = MachineLayout::uniform(ranks, per_node, CoordinatorMode::automatic);
    for (unsigned seed = 0; seed < 40; ++seed) {
      const Plan plan = mixed_plan(machine, seed);
      Crowd crowd(plan, machine, seed);
      crowd.run();
      for (const int times : crowd.times_done) ASSERT_EQ(times, 1) << ranks << " ranks, seed " << seed;
    }
  }
}

TEST(Coordinator, AMemberThatFailsStopsEverybodyWhoeverItIs) {
  const auto machine = MachineLayout::uniform(9, 9, CoordinatorMode::automatic);
  for (int culprit = 0; culprit < 9; ++culprit)
    for (int failing = 0; failing < 4; ++failing)
      for (unsigned seed = 0; seed < 5; ++seed) {
        const Plan plan = mixed_plan(machine, seed);
        Crowd crowd(plan, machine, seed);
        crowd.run(culprit, failing);
        for (const int times : crowd.times_done) ASSERT_LE(times, 1);
      }
}

TEST(Coordinator, AWideItemWithoutAWriterOfTeamOrdersIsABug) {
  const auto machine = MachineLayout::uniform(5, 5, CoordinatorMode::automatic);
  Plan plan;
  plan.items.push_back({.width = 2, .seconds = 1});
  EXPECT_THROW(Coordinator(plan, machine, numbers), std::logic_error);
  plan.items.front().width = 3;
  EXPECT_THROW(Coordinator(plan, machine, numbers, [](auto, auto, auto) { return std::vector<std::byte>(); }),
               std::logic_error);
}

TEST(Coordinator, ATeamOrderThatCannotBeWrittenStopsEverybody) {
  const auto machine = MachineLayout::uniform(3, 3, CoordinatorMode::automatic);
  Plan plan;
  plan.items = {{.width = 2, .seconds = 1}, {.seconds = 1}};
  Coordinator coordinator(plan, machine, numbers,
                          [](auto, auto, auto) -> std::vector<std::byte> { throw std::bad_alloc(); });
  coordinator.handle({MessageKind::hello, 1, {}});
  const auto out = coordinator.handle({MessageKind::hello, 2, {}});
  EXPECT_TRUE(coordinator.failure());
  ASSERT_EQ(out.size(), 2U);
  for (const Message& m : out) EXPECT_EQ(m.kind, MessageKind::stop);
  EXPECT_EQ(coordinator.handle({MessageKind::hello, 0, {}})[0].kind, MessageKind::stop);
  EXPECT_TRUE(coordinator.finished());
}

TEST(Coordinator, OccupiedTimeRunsFromTheFirstAssignmentToTheLastIdle) {
  double clock = 0;
  Plan plan = plan_of({100, 100});
  Coordinator coordinator(plan, one_node({0}), numbers, {}, [&] { return clock; });
  coordinator.handle({MessageKind::hello, 0, {}});
  clock = 110;
  coordinator.handle({MessageKind::idle, 0, {}});
  clock = 200;
  coordinator.handle({MessageKind::idle, 0, {}});
  EXPECT_DOUBLE_EQ(coordinator.occupied_seconds(), 200);
}

TEST(Coordinator, ShowsWhatItHandsOut) {
  const auto machine = MachineLayout::uniform(3, 3, CoordinatorMode::automatic);
  Plan plan;
  plan.items = {{.width = 2, .seconds = 50}, {.seconds = 40}};
  UnderWay under_way([] { return 0.0; });
  Coordinator coordinator(plan, machine, numbers, [](auto, auto, auto) { return std::vector<std::byte>(); });
  coordinator.show_in(&under_way);
  const auto shown = [&] {
    std::map<std::uint32_t, int> ranks;
    for (const OngoingItem& one : under_way.items()) ranks[one.item] = one.ranks;
    return ranks;
  };
  for (const int rank : {0, 1, 2}) coordinator.handle({MessageKind::hello, rank, {}});
  EXPECT_EQ(shown(), (std::map<std::uint32_t, int>{{0, 2}, {1, 1}}));
  for (const int rank : {0, 1, 2}) coordinator.handle({MessageKind::idle, rank, {}});
  EXPECT_TRUE(shown().empty());
}

TEST(Coordinator, InfeasibleItemsAreNeverHandedOut) {
  Plan plan = plan_of({5, 4, 3, 2, 1});
  plan.infeasible = {1, 3};
  const Simulation run = simulate(plan, 2, 1);
  EXPECT_EQ(run.times_done, (std::vector<int>{1, 0, 1, 0, 1}));
}

TEST(Coordinator, AnEmptyPlanStopsEverybody) {
  const Plan plan;
  Coordinator coordinator(plan, one_node({0, 1}), numbers);
  for (const int w : {0, 1}) {
    const auto out = coordinator.handle({MessageKind::hello, w, {}});
    ASSERT_EQ(out.size(), 1U);
    EXPECT_EQ(out[0].kind, MessageKind::stop);
    EXPECT_EQ(out[0].peer, w);
  }
  EXPECT_TRUE(coordinator.finished());
}

TEST(Coordinator, AfterStopAllNothingIsHandedOut) {
  const Plan plan = plan_of(std::vector<double>(100, 1.0));
  Coordinator coordinator(plan, one_node({0, 1, 2}), numbers);
  coordinator.handle({MessageKind::hello, 0, {}});
  coordinator.stop_all();
  EXPECT_FALSE(coordinator.finished());  // worker 0 has work, 1 and 2 have not come yet
  for (const int w : {1, 2})
    EXPECT_EQ(coordinator.handle({MessageKind::hello, w, {}})[0].kind, MessageKind::stop);
  std::vector<Message> last;
  while (!coordinator.finished()) last = coordinator.handle({MessageKind::idle, 0, {}});
  EXPECT_EQ(last.back().kind, MessageKind::stop);
}

TEST(Coordinator, AWorkerThatFailedIsStoppedAndNothingMoreIsHandedOut) {
  const Plan plan = plan_of(std::vector<double>(100, 1.0));
  Coordinator coordinator(plan, one_node({0, 1, 2}), numbers);
  for (const int w : {0, 1}) coordinator.handle({MessageKind::hello, w, {}});
  const std::size_t before = coordinator.handed_out();
  const auto out = coordinator.handle({MessageKind::failed, 1, {}});
  ASSERT_EQ(out.size(), 1U);  // 0 has work, 2 has not come yet
  EXPECT_EQ(out[0].kind, MessageKind::stop);
  EXPECT_EQ(out[0].peer, 1);
  EXPECT_EQ(coordinator.handle({MessageKind::failed, 2, {}})[0].kind, MessageKind::stop);  // it never came
  EXPECT_LT(before, plan.items.size());
  int answers = 0;
  for (; !coordinator.finished(); ++answers)
    for (const Message& m : coordinator.handle({MessageKind::idle, 0, {}}))
      EXPECT_EQ(m.kind, MessageKind::stop);
  EXPECT_LE(answers, 2);
}

TEST(Coordinator, AnOrderThatCannotBeWrittenStopsEverybodyOnce) {
  const Plan plan = plan_of(std::vector<double>(100, 1.0));
  for (int bad = 0; bad < 6; ++bad) {
    int written = 0;
    Coordinator coordinator(plan, one_node({0, 1}), [&](std::span<const std::uint32_t> items) {
      if (written++ == bad) throw std::bad_alloc();
      return numbers(items);
    });
    std::map<int, int> batches, stops;
    const auto deliver = [&](const std::vector<Message>& out) {
      for (const Message& m : out) ++(m.kind == MessageKind::stop ? stops : batches)[m.peer];
    };
    for (const int w : {0, 1}) deliver(coordinator.handle({MessageKind::hello, w, {}}));
    for (int turn = 0; turn < 1000 && !coordinator.finished(); ++turn)
      for (const int w : {0, 1})
        if (batches[w] > 0) {
          --batches[w];
          deliver(coordinator.handle({MessageKind::idle, w, {}}));
        }
    EXPECT_TRUE(coordinator.finished()) << bad;
    EXPECT_TRUE(coordinator.failure()) << bad;
    EXPECT_EQ(stops, (std::map<int, int>{{0, 1}, {1, 1}}));
  }
}

TEST(Coordinator, AMessageFromAStrangerIsABug) {
  const Plan plan;
  Coordinator coordinator(plan, one_node({1}), numbers);
  EXPECT_THROW(coordinator.handle({MessageKind::hello, 5, {}}), std::logic_error);
}

TEST(Workers, RankZeroComputesUntilADedicatedCoordinatorPays) {
  EXPECT_EQ(workers_among(1, CoordinatorMode::automatic), 1);
  EXPECT_EQ(workers_among(31, CoordinatorMode::automatic), 31);
  EXPECT_EQ(workers_among(32, CoordinatorMode::automatic), 31);
  EXPECT_EQ(workers_among(4, CoordinatorMode::dedicated), 3);
  EXPECT_EQ(workers_among(64, CoordinatorMode::shared), 64);
}

}  // namespace
}  // namespace stemma
