// The inventory with the widths that end soonest.
#include "pipeline/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/archive/sha256.hpp"
#include "pipeline/simulation.hpp"
#include "pipeline/width_search.hpp"

namespace stemma {
namespace {

constexpr double worth_reading_twice = 0.05;  // of the makespan
constexpr double worth_asking = 0.05;         // seconds: an answer takes a few milliseconds

/// Whether an item holds its tensors and asks for equal ones first: it is decomposed by one rank, takes long
/// enough, and its bytes fit beside all else.
bool asks(const Item& item, const ItemCost& cost, bool by_content, std::uint64_t memory_per_rank) {
  return by_content && item.width == 1 && !cost.decompositions.empty() && item.seconds > worth_asking &&
         item.memory + item.bytes <= memory_per_rank;
}

/// Of what decides who does what.
std::string digest_of(const Plan& plan) {
  std::string text = fmt::format("stemma-plan/2 {} {}", plan.machine.ranks(), plan.machine.slots_per_node());
  for (const Item& item : plan.items) {
    text += fmt::format("\n{} {} {} {} {}", item.model, fmt::join(item.tensors, ","),
                        static_cast<int>(item.portion), item.subjects, item.width);
    if (item.file) text += fmt::format(" file {}", *item.file);
  }
  return sha256_hex(text).substr(0, 16);
}

struct Division {
  Inventory inventory;
  WidthPlan widths;
};

std::vector<std::uint32_t> costs_of(const std::vector<Item>& items) {
  std::vector<std::uint32_t> costs;
  costs.reserve(items.size());
  for (const Item& item : items) costs.push_back(item.cost);
  return costs;
}

/// Items with their widths. Those that would be wide, or fit nowhere, are tried in smaller pieces, which are
/// kept when more then fits or all ends sooner by so much that reading twice is worth it. Where size alone
/// decides the widths there is nothing to try: pieces would have other sizes.
Division divided(Inventory inventory, std::span<const SurveyedModel> models,
                 const std::vector<Question>& questions, const CostModel& costs, const MachineLayout& machine,
                 std::uint64_t memory, WidthRule rule) {
  Division whole{std::move(inventory), {}};
  const auto search = [&](const Inventory& of, double work) {
    return search_widths(machine, costs, of.costs, costs_of(of.items), memory, rule, work);
  };
  whole.widths = search(whole.inventory, 0);
  if (rule == WidthRule::by_size) return whole;
  std::vector<bool> which(whole.inventory.costs.size(), false);
  for (std::size_t i = 0; i < whole.inventory.items.size(); ++i) {
    const std::uint32_t cost = whole.inventory.items[i].cost;
    if (whole.widths.level[i] != 0 && !whole.inventory.costs[cost].decompositions.empty()) which[cost] = true;
  }
  if (std::find(which.begin(), which.end(), true) == which.end()) return whole;
  Division finer{split(whole.inventory, which, models, questions), {}};
  // Work is what the undivided items ask for; reading again is no work that had to be done.
  const bool same_items = whole.widths.infeasible == 0;
  finer.widths = search(finer.inventory, same_items ? whole.widths.work : 0);
  if (finer.widths.infeasible < whole.widths.infeasible) return finer;
  if (finer.widths.infeasible > whole.widths.infeasible) return whole;
  return finer.widths.uneven_makespan < (1 - worth_reading_twice) * whole.widths.uneven_makespan ? finer
                                                                                                 : whole;
}

}  // namespace

std::vector<Task> tasks_of(const Plan& plan, const MachineLayout& machine) {
  std::vector<Task> tasks;
  tasks.reserve(plan.items.size());
  for (const Item& item : plan.items) {
    const int level = machine.level_of(item.width);
    const bool known = item.cost < plan.costs.size();
    tasks.push_back(
        {item.seconds, level, true, known ? kind_of(plan.costs[item.cost], level) : std::uint16_t{0}});
  }
  for (const std::uint32_t i : plan.infeasible) tasks[i].feasible = false;
  for (const std::uint32_t i : plan.known) tasks[i].feasible = false;
  return tasks;
}

void leave_out(Plan& plan, std::vector<std::uint32_t> known) {
  plan.known = std::move(known);
  double longest = 0;
  const double share = plan.rank_seconds > 0 ? plan.work / plan.rank_seconds : 1;
  for (const std::uint32_t i : plan.known) {
    const Item& item = plan.items[i];
    plan.read_bytes -= item.bytes;
    if (item.file) plan.file_bytes -= item.bytes;
    plan.rank_seconds -= item.width * item.seconds;
  }
  plan.rank_seconds = std::max(0.0, plan.rank_seconds);
  plan.work = share * plan.rank_seconds;
  const std::vector<Task> tasks = tasks_of(plan, plan.machine);
  for (const Task& task : tasks)
    if (task.feasible) longest = std::max(longest, task.seconds);
  plan.lower_bound = std::max(plan.work / plan.machine.workers(), std::min(longest, plan.lower_bound));
  plan.makespan = plan.uneven_makespan = simulate(plan.machine, tasks).makespan;
}

Plan make_plan(std::span<const SurveyedModel> models, const std::vector<Question>& questions,
               const CostModel& costs, const MachineLayout& machine, std::uint64_t memory_per_rank,
               WidthRule width_rule) {
  return make_plan(take_inventory(models, questions), models, questions, costs, machine, memory_per_rank,
                   width_rule);
}

Plan make_plan(Inventory inventory, std::span<const SurveyedModel> models,
               const std::vector<Question>& questions, const CostModel& costs, const MachineLayout& machine,
               std::uint64_t memory_per_rank, WidthRule width_rule) {
  Division division =
      divided(std::move(inventory), models, questions, costs, machine, memory_per_rank, width_rule);
  const WidthPlan& widths = division.widths;
  Plan plan;
  plan.machine = machine;
  plan.model = costs;
  plan.items = std::move(division.inventory.items);
  plan.costs = std::move(division.inventory.costs);
  plan.memory_per_rank = memory_per_rank;
  plan.width_rule = width_rule;
  plan.weight_bytes = division.inventory.weight_bytes;
  plan.again_bytes = division.inventory.again_bytes;
  const bool by_content =
      std::ranges::any_of(questions, [](const Question& q) { return q.method().by_content(); });
  for (std::uint32_t i = 0; i < plan.items.size(); ++i) {
    Item& item = plan.items[i];
    const ItemCost& cost = plan.costs[item.cost];
    const bool feasible = widths.level[i] >= 0;
    item.width = feasible ? machine.width_at(widths.level[i]) : 1;
    item.seconds = feasible ? widths.seconds[i] : costs.seconds(cost, 1);
    item.memory = cost.memory_on(item.width, !feasible || machine.on_one_node(widths.level[i]));
    plan.read_bytes += item.bytes;
    if (item.file) plan.file_bytes += item.bytes;
    if (!feasible) plan.infeasible.push_back(i);
    if (!feasible) continue;
    plan.rank_seconds += item.width * item.seconds;
    item.asks = asks(item, cost, by_content, memory_per_rank);
    if (item.asks) item.memory += item.bytes;
    plan.peak_memory = std::max(plan.peak_memory, item.memory);
  }
  plan.work = widths.work;
  plan.lower_bound = widths.lower_bound;
  plan.lambda = widths.lambda;
  plan.makespan = widths.makespan;
  plan.uneven_makespan = widths.uneven_makespan;
  plan.digest = digest_of(plan);
  return plan;
}

}  // namespace stemma
