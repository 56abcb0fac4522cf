// Numbers first: what it needs, and what there is.
#include "pipeline/refusal.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "pipeline/wording.hpp"

namespace stemma {
namespace {

std::string on(int ranks, std::uint64_t bytes) {
  const std::string memory = memory_words(static_cast<double>(bytes));
  return ranks == 1 ? memory + " on one rank" : fmt::format("{} on each of {} ranks", memory, ranks);
}

/// The team on which each rank needs least, among those that may be formed.
int least_demanding(const ItemCost& cost, const MachineLayout& machine) {
  int best = 1;
  for (int level = 0; level <= machine.top_level(); ++level) {
    const int width = machine.width_at(level);
    if (width > 1 && width <= cost.widest() && cost.memory_on(width) < cost.memory_on(best)) best = width;
  }
  return best;
}

Refusal too_large(std::string needs, std::uint64_t least, const Plan& plan) {
  return {"plan.memory",
          fmt::format("needs {}, the budget is {}", needs,
                      memory_words(static_cast<double>(plan.memory_per_rank))),
          fmt::format("set runtime.memory_per_rank={}MiB or more, or start fewer ranks per node",
                      (least + mib - 1) / mib)};
}

}  // namespace

Refusal refusal(const Item& item, const Plan& plan) {
  const ItemCost& cost = plan.costs[item.cost];
  if (plan.width_rule == WidthRule::by_size) {
    const int width = width_by_size(cost.largest_k());
    if (plan.machine.level_of(width) >= 0)
      return too_large(on(width, cost.memory_on(width)), cost.memory_on(width), plan);
    return {"plan.width",
            fmt::format(
                "needs a team of exactly {} ranks (runtime.reproducible: the shorter side of a matrix, "
                "here {}, decides), and {} cannot form one",
                width, cost.largest_k(), counted(static_cast<std::uint64_t>(plan.machine.ranks()), "rank")),
            fmt::format("start at least {} ranks on one machine (rank 0 is in no team), or leave "
                        "runtime.reproducible out",
                        width + 1)};
  }
  const int best = least_demanding(cost, plan.machine);
  std::string needs = on(1, cost.memory_on(1));
  if (best > 1) needs += " and " + on(best, cost.memory_on(best));
  return too_large(std::move(needs), cost.memory_on(best), plan);
}

}  // namespace stemma
