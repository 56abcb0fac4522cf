// On how many ranks should each item be done, so that all are done soonest?
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "pipeline/cost_model.hpp"
#include "pipeline/machine_layout.hpp"
#include "pipeline/scheduler.hpp"
#include "pipeline/simulation.hpp"
#include "pipeline/width_rule.hpp"

namespace stemma {

/// Widths for every item, and what they lead to.
struct WidthPlan {
  std::vector<int> level;       ///< by item; -1 where no team of this machine has the memory
  std::vector<double> seconds;  ///< by item, at that level
  double work = 0;              ///< W: one-rank seconds of all feasible items
  double longest = 0;           ///< max over feasible items of the least time at any width
  double lower_bound = 0;       ///< max(W / workers, longest)
  double lambda = 0;            ///< seconds that no item should take; infinite when all stay narrow
  double makespan = 0;          ///< simulated with every item taking its prediction
  double uneven_makespan = 0;   ///< mean of three simulations in which times vary by 10 %
  std::size_t infeasible = 0;   ///< items
};

/// Items named by their costs, `item_costs[i]` indexing `costs`. Widths are those that teams of `machine` can
/// have (MachineLayout) and the cost can use; `memory` is what a rank may use, bytes.
///
/// Each candidate lambda, LB times 1/8, 1/4, 1/2, 3/4, 1, 3/2, 2 or infinity, gives every item the least
/// width that keeps it below (or the width that makes it shortest); the one with the least uneven makespan is
/// kept, ties going to the larger lambda, whose teams are narrower. Items of one cost need not have one
/// width: where teams are formed and items are few enough to try, a part of the items of each cost moves one
/// width up or down as long as that makes the uneven makespan shorter. (126 layers with five large matrices
/// each on 127 nodes: equal widths leave a third of the ranks idle at the end, a mixture fits.)
///
/// With WidthRule::by_size an item has the one width of its largest k, or none.
///
/// `work`: W to be measured against, when it is known better than from these items; 0 otherwise.
WidthPlan search_widths(const MachineLayout& machine, const CostModel& model, std::span<const ItemCost> costs,
                        std::span<const std::uint32_t> item_costs, std::uint64_t memory,
                        WidthRule rule = WidthRule::soonest, double work = 0);

/// Items of like size at the same width: octaves of k times levels.
std::uint16_t kind_of(const ItemCost& cost, int level);

}  // namespace stemma
