// On how many ranks should each item be done, so that all are done soonest?
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "pipeline/cost_model.hpp"
#include "pipeline/machine_layout.hpp"
#include "pipeline/scheduler.hpp"
#include "pipeline/simulation.hpp"

namespace stemma {

/// Widths for every cost, and what they lead to.
struct WidthPlan {
  std::vector<int> level;       ///< by cost; -1 where no team of this machine has the memory
  std::vector<double> seconds;  ///< by cost, at that level
  double work = 0;              ///< W: one-rank seconds of all feasible items
  double lower_bound = 0;       ///< max(W / workers, max over items of the least time at any width)
  double lambda = 0;            ///< seconds that no item should take; infinite when all stay narrow
  double makespan = 0;          ///< simulated with every item taking its prediction
  double uneven_makespan = 0;   ///< mean of three simulations in which times vary by 10 %
};

/// Items named by their costs, `item_costs[i]` indexing `costs`. Widths are those that teams of `machine` can
/// have (MachineLayout) and the cost can use; `memory` is what a rank may use, bytes. Each candidate lambda,
/// LB times 1/8, 1/4, 1/2, 3/4, 1, 3/2, 2 or infinity, gives every item the least width that keeps it below
/// (or the width that makes it shortest); the one with the least uneven makespan is kept, ties going to the
/// larger lambda, whose teams are narrower.
WidthPlan search_widths(const MachineLayout& machine, const CostModel& model, std::span<const ItemCost> costs,
                        std::span<const std::uint32_t> item_costs, std::uint64_t memory);

/// Items of like size at the same width: octaves of k times levels.
std::uint16_t kind_of(const ItemCost& cost, int level);

/// The tasks of these items at these widths, for a scheduler.
std::vector<Task> tasks_of(const WidthPlan& widths, std::span<const ItemCost> costs,
                           std::span<const std::uint32_t> item_costs);

}  // namespace stemma
