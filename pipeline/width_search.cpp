// Every candidate is simulated; the soonest end wins.
#include "pipeline/width_search.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <map>

namespace stemma {
namespace {

constexpr double forever = std::numeric_limits<double>::infinity();
constexpr double candidates[] = {forever, 2, 1.5, 1, 0.75, 0.5, 0.25, 0.125};  // of LB, largest first
constexpr unsigned seeds[] = {1, 2, 3};
constexpr std::size_t most_simulated = 100'000;
constexpr int octaves = 32;
constexpr double tie = 1e-9;

/// What one cost may choose from, ascending by width.
struct Choice {
  int level = 0;
  double seconds = 0;
};

std::vector<Choice> choices_for(const MachineLayout& machine, const CostModel& model, const ItemCost& cost,
                                std::uint64_t memory) {
  std::vector<Choice> choices;
  for (int level = 0; level <= machine.top_level(); ++level) {
    const int width = machine.width_at(level);
    if (width == 0 || (level > 0 && (width == 1 || width > cost.widest()))) continue;
    if (cost.memory_on(width) <= memory) choices.push_back({level, model.seconds(cost, width)});
  }
  return choices;
}

/// The least width that keeps an item below lambda, else the one that makes it shortest.
Choice chosen(const std::vector<Choice>& choices, double lambda) {
  const auto enough =
      std::find_if(choices.begin(), choices.end(), [&](const Choice& c) { return c.seconds <= lambda; });
  if (enough != choices.end()) return *enough;
  return *std::min_element(choices.begin(), choices.end(),
                           [](const Choice& a, const Choice& b) { return a.seconds < b.seconds; });
}

/// Long lists of narrow tasks, joined in runs: the search asks which widths are better, not when exactly all
/// ends.
std::vector<Task> coarsened(std::vector<Task> tasks) {
  std::erase_if(tasks, [](const Task& t) { return !t.feasible; });
  if (tasks.size() <= most_simulated) return tasks;
  std::stable_sort(tasks.begin(), tasks.end(), [](const Task& a, const Task& b) {
    return a.level > b.level || (a.level == b.level && a.seconds > b.seconds);
  });
  const std::size_t run = tasks.size() / most_simulated + 1;
  std::vector<Task> joined;
  for (std::size_t i = 0; i < tasks.size();) {
    joined.push_back(tasks[i++]);
    for (std::size_t n = 1; n < run && i < tasks.size() && tasks[i].level == 0 && joined.back().level == 0;
         ++n)
      joined.back().seconds += tasks[i++].seconds;
  }
  return joined;
}

double uneven_makespan(const MachineLayout& machine, const std::vector<Task>& tasks) {
  const std::vector<Task> fewer = coarsened(tasks);
  double sum = 0;
  for (const unsigned seed : seeds)
    sum += simulate(machine, fewer, uneven_factors(fewer.size(), seed)).makespan;
  return sum / static_cast<double>(std::size(seeds));
}

}  // namespace

std::uint16_t kind_of(const ItemCost& cost, int level) {
  return static_cast<std::uint16_t>(octaves * level + std::bit_width(cost.largest_k()) % octaves);
}

std::vector<Task> tasks_of(const WidthPlan& widths, std::span<const ItemCost> costs,
                           std::span<const std::uint32_t> item_costs) {
  std::vector<Task> tasks;
  tasks.reserve(item_costs.size());
  for (const std::uint32_t c : item_costs) {
    const int level = widths.level[c];
    if (level < 0) {
      tasks.push_back({.feasible = false});
    } else {
      tasks.push_back({widths.seconds[c], level, true, kind_of(costs[c], level)});
    }
  }
  return tasks;
}

WidthPlan search_widths(const MachineLayout& machine, const CostModel& model, std::span<const ItemCost> costs,
                        std::span<const std::uint32_t> item_costs, std::uint64_t memory) {
  WidthPlan best;
  best.level.assign(costs.size(), -1);
  best.seconds.assign(costs.size(), 0);
  std::vector<std::vector<Choice>> choices;
  for (const ItemCost& cost : costs) choices.push_back(choices_for(machine, model, cost, memory));
  std::vector<double> alone;
  for (const ItemCost& cost : costs) alone.push_back(model.seconds(cost, 1));
  double longest = 0;
  for (const std::uint32_t c : item_costs) {
    if (choices[c].empty()) continue;
    best.work += alone[c];
    longest = std::max(longest, chosen(choices[c], 0).seconds);
  }
  best.lower_bound = std::max(best.work / machine.workers(), longest);
  best.lambda = forever;

  std::map<std::vector<int>, double> tried;
  std::vector<WidthPlan> plans;
  for (const double candidate : candidates) {
    WidthPlan plan = best;
    plan.lambda = candidate * best.lower_bound;
    for (std::size_t c = 0; c < costs.size(); ++c) {
      if (choices[c].empty()) continue;
      const Choice choice = chosen(choices[c], plan.lambda);
      plan.level[c] = choice.level;
      plan.seconds[c] = choice.seconds;
    }
    if (tried.try_emplace(plan.level, candidate).second) plans.push_back(std::move(plan));
  }
  std::size_t winner = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    plans[i].uneven_makespan = uneven_makespan(machine, tasks_of(plans[i], costs, item_costs));
    if (plans[i].uneven_makespan < plans[winner].uneven_makespan * (1 - tie)) winner = i;
  }
  best = std::move(plans[winner]);
  best.makespan = simulate(machine, tasks_of(best, costs, item_costs)).makespan;
  return best;
}

}  // namespace stemma
