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
