// How near to its plan does a run come whose items sleep instead of computing?
//   mpirun -n 12 bench_work_stage [seconds = 3] [target = 0.9]
//
// The whole work stage (coordinator, mailboxes, workers, teams) over items of 5 to 500 ms, log-normal and
// within 10 % of their predictions: all narrow, and with items for teams of 2, 4 and 8. Sleeping takes no
// core, so ranks may outnumber the cores. Prints one JSON object for each mix: the lower bound of what items
// really take, the simulated and the measured makespan. Fails when bound / measured misses the target.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "analyzers/distributed/world.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/simulation.hpp"
#include "pipeline/work_stage.hpp"

namespace stemma {
namespace {

constexpr double shortest = 0.005, longest = 0.5, median = 0.04;  // seconds
constexpr double spread_power = 9;                                // of factors that vary by 10 %
constexpr std::uint64_t tensor_bytes = 4096;                      // a part for every member of a team

/// Reads nothing, as slowly as the path of the file says.
class SleepingReader final : public ByteReader {
 public:
  void read(const SourceFile& file, std::uint64_t, std::span<std::byte> out) override {
    std::this_thread::sleep_for(std::chrono::duration<double>(std::stod(file.path)));
    std::fill(out.begin(), out.end(), std::byte{0});
  }
  std::uint64_t bytes_read() const override { return 0; }
};

/// Items, and what each really takes.
struct Mix {
  const char* name;
  Plan plan;
  std::vector<double> factors;
  double lower_bound = 0;

  double really(std::uint32_t item) const { return plan.items[item].seconds * factors[item]; }

  WorkOrder order(std::uint32_t item) const {
    WorkOrder order{.item = item};
    order.files = {{.path = fmt::format("{}", really(item)), .bytes = tensor_bytes}};
    order.tensors = {
        {.name = "sleep", .dtype = Dtype::f32, .shape = {tensor_bytes / 4}, .bytes = tensor_bytes}};
    order.subjects = {{.analyzer = "content", .path = "sleep", .stored = {0}}};
    order.streamed = 1;
    return order;
  }
};

/// So many items that all ranks are busy for about `seconds`; every `wide`-th is for a team, none where it is
/// 0.
Mix mix_of(const char* name, const MachineLayout& machine, double seconds, std::size_t wide) {
  constexpr std::size_t most = 100'000;
  Mix mix{name, {}, uneven_factors(most, 2)};
  mix.plan.machine = machine;
  const std::vector<double> lengths = uneven_factors(most, 1);
  double rank_seconds = 0, longest_item = 0;
  const double wanted = seconds * machine.workers();
  for (std::uint32_t i = 0; i < most && rank_seconds < wanted; ++i) {
    int level = wide > 0 && i % wide == 0 ? 1 + static_cast<int>(i / wide) % 3 : 0;
    while (level > 0 && (level > machine.top_level() || machine.width_at(level) == 0)) --level;
    const int width = machine.width_at(level);
    mix.plan.items.push_back(
        {.width = width,
         .seconds = std::clamp(median * std::pow(lengths[i], spread_power), shortest, longest)});
    rank_seconds += width * mix.really(i);
    longest_item = std::max(longest_item, mix.really(i));
  }
  mix.factors.resize(mix.plan.items.size());
  mix.lower_bound = std::max(rank_seconds / machine.workers(), longest_item);
  return mix;
}

/// Collective. Whether every item came once and the target was met.
bool report(const Communicator& ranks, const Mix& mix, double target) {
  std::vector<int> came(mix.plan.items.size(), 0);
  double occupied = 0;
  const Coordinator::OrderWriter orders = [&](std::span<const std::uint32_t> items) {
    std::vector<WorkOrder> batch;
    for (const std::uint32_t i : items) batch.push_back(mix.order(i));
    return encode(batch);
  };
  const Coordinator::TeamOrderWriter team_orders = [&](std::uint32_t item, int block,
                                                       std::span<const int> members) {
    WorkOrder order = mix.order(item);
    order.block = block;
    order.members.assign(members.begin(), members.end());
    return encode(std::span(&order, 1));
  };
  const ResultSink sink = [&](ItemResult result) {
    if (result.features.front().status == Status::ok) ++came[result.item];
  };
  ranks.all_reduce_min(0);
  const Stopwatch watch;
  run_work(ranks, CoordinatorMode::automatic, {&mix.plan, orders, sink, team_orders, &occupied},
           [] { return std::make_unique<SleepingReader>(); });
  const double measured = watch.seconds();
  if (!ranks.leads()) return true;

  const std::vector<Task> tasks = tasks_of(mix.plan, mix.plan.machine);
  const Simulated planned = simulate(mix.plan.machine, tasks, mix.factors);
  const bool once = std::all_of(came.begin(), came.end(), [](int times) { return times == 1; });
  const auto wide = std::count_if(tasks.begin(), tasks.end(), [](const Task& t) { return t.level > 0; });
  const double efficiency = mix.lower_bound / measured;
  fmt::print("{}\n", nlohmann::ordered_json{{"mix", mix.name},
                                            {"ranks", ranks.size()},
                                            {"items", tasks.size()},
                                            {"items_for_teams", wide},
                                            {"lower_bound_seconds", mix.lower_bound},
                                            {"planned_seconds", planned.makespan},
                                            {"measured_seconds", measured},
                                            {"planned_efficiency", mix.lower_bound / planned.makespan},
                                            {"measured_efficiency", efficiency},
                                            {"overhead_efficiency", planned.rank_seconds / occupied},
                                            {"every_item_once", once},
                                            {"target", target},
                                            {"pass", once && efficiency >= target}}
                         .dump());
  return once && efficiency >= target;
}

int run(const Communicator& ranks, double seconds, double target) {
  const auto machine = MachineLayout::uniform(ranks.size(), ranks.size(), CoordinatorMode::automatic);
  const bool narrow = report(ranks, mix_of("narrow", machine, seconds, 0), target);
  const bool mixed = report(ranks, mix_of("with teams", machine, seconds, 10), target);
  return narrow && mixed ? 0 : 1;
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) {
  const stemma::World world(stemma::launch_from_environment());
  return stemma::run(world.all(), argc > 1 ? std::atof(argv[1]) : 3, argc > 2 ? std::atof(argv[2]) : 0.9);
}
