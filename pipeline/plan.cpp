// The inventory with the widths that end soonest.
#include "pipeline/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/archive/sha256.hpp"
#include "pipeline/width_search.hpp"

namespace stemma {
namespace {

/// Of what decides who does what.
std::string digest_of(const Plan& plan) {
  std::string text = fmt::format("stemma-plan/2 {} {}", plan.machine.ranks(), plan.machine.slots_per_node());
  for (const Item& item : plan.items) {
    text += fmt::format("\n{} {} {} {}", item.model, fmt::join(item.tensors, ","), item.subjects, item.width);
    if (item.file) text += fmt::format(" file {}", *item.file);
  }
  return sha256_hex(text).substr(0, 16);
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
  return tasks;
}

Plan make_plan(std::span<const SurveyedModel> models, const std::vector<Question>& questions,
               const CostModel& costs, const MachineLayout& machine, std::uint64_t memory_per_rank) {
  Inventory inventory = take_inventory(models, questions);
  Plan plan;
  plan.machine = machine;
  plan.model = costs;
  plan.items = std::move(inventory.items);
  plan.costs = std::move(inventory.costs);
  plan.memory_per_rank = memory_per_rank;
  plan.weight_bytes = inventory.weight_bytes;
  std::vector<std::uint32_t> item_costs;
  for (const Item& item : plan.items) item_costs.push_back(item.cost);
  const WidthPlan widths = search_widths(machine, costs, plan.costs, item_costs, memory_per_rank);
  for (Item& item : plan.items) {
    const ItemCost& cost = plan.costs[item.cost];
    const int level = widths.level[item.cost];
    item.width = level < 0 ? 1 : machine.width_at(level);
    item.seconds = level < 0 ? costs.seconds(cost, 1) : widths.seconds[item.cost];
    item.memory = cost.memory_on(item.width);
    plan.read_bytes += item.bytes;
    if (item.file) plan.file_bytes += item.bytes;
    if (level >= 0) plan.rank_seconds += item.width * item.seconds;
    plan.peak_memory = std::max(plan.peak_memory, item.memory);
  }
  std::stable_sort(plan.items.begin(), plan.items.end(), [](const Item& a, const Item& b) {
    return a.width > b.width || (a.width == b.width && a.seconds > b.seconds);
  });
  for (std::uint32_t i = 0; i < plan.items.size(); ++i)
    if (widths.level[plan.items[i].cost] < 0) plan.infeasible.push_back(i);
  plan.work = widths.work;
  plan.lower_bound = widths.lower_bound;
  plan.lambda = widths.lambda;
  plan.makespan = widths.makespan;
  plan.uneven_makespan = widths.uneven_makespan;
  plan.digest = digest_of(plan);
  return plan;
}

}  // namespace stemma
