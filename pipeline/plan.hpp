// Who could do what, in which order, and how long should it take?
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pipeline/items.hpp"
#include "pipeline/machine_layout.hpp"
#include "pipeline/scheduler.hpp"
#include "pipeline/width_rule.hpp"

namespace stemma {

/// What a run of these items on this machine should look like. A value: pure arithmetic of its inputs.
struct Plan {
  MachineLayout machine;
  CostModel model;                        ///< the rates behind all predictions
  std::vector<Item> items;                ///< in order of model, file and offset
  std::vector<ItemCost> costs;            ///< what items ask for, by Item::cost
  std::vector<std::uint32_t> infeasible;  ///< items that fit on no rank and no team, by index
  std::vector<std::uint32_t> known;   ///< items whose results are there already, by index: nobody does them
  std::uint64_t memory_per_rank = 0;  ///< the budget, bytes
  WidthRule width_rule = WidthRule::soonest;
  std::uint64_t weight_bytes = 0;  ///< bytes of all tensors that are needed, each counted once
  std::uint64_t read_bytes = 0;    ///< bytes that will be read; more when a companion is read again
  std::uint64_t file_bytes = 0;    ///< of these, for questions about whole files
  std::uint64_t again_bytes = 0;   ///< of these, a second time: items that were split, subjects apart
  std::uint64_t peak_memory = 0;   ///< on the rank that needs most, bytes
  double work = 0;                 ///< W, rank-seconds: every item that is feasible, on one rank
  double rank_seconds = 0;         ///< sum over items of ranks times time: W, and what width costs
  double lower_bound = 0;          ///< LB = max(W / workers, least time of any item), seconds
  double lambda = 0;               ///< time that no item should exceed, seconds; infinite when all are narrow
  double makespan = 0;             ///< simulated, every item taking its prediction, seconds
  double uneven_makespan = 0;      ///< the same when times vary by 10 %: mean of three draws
  std::string digest;              ///< 16 hex digits; equal plans have equal digests

  double efficiency() const { return makespan > 0 ? lower_bound / makespan : 1; }
  /// Factors of W / (workers x makespan): what teams cost, and what idle ranks cost.
  double width_efficiency() const { return rank_seconds > 0 ? work / rank_seconds : 1; }
  double packing_efficiency() const {
    return makespan > 0 ? rank_seconds / (machine.workers() * makespan) : 1;
  }
  /// LB workers / W: 1 when throughput rules, above when the longest item does.
  double critical() const { return work > 0 ? lower_bound * machine.workers() / work : 1; }
};

/// The items of a plan as a scheduler on this machine sees them, by index.
std::vector<Task> tasks_of(const Plan& plan, const MachineLayout& machine);

/// Takes items out of the work, by index: what is left is read, takes its time and is simulated anew. Widths
/// stay, and so does the digest, which names the whole.
void leave_out(Plan& plan, std::vector<std::uint32_t> known);

/// Makes the plan. Models that could not be read take no part. `memory_per_rank` in bytes. Costs
/// O(n log n) for n items, and no weight is read.
Plan make_plan(std::span<const SurveyedModel> models, const std::vector<Question>& questions,
               const CostModel& costs, const MachineLayout& machine, std::uint64_t memory_per_rank,
               WidthRule width_rule = WidthRule::soonest);

/// The same from what take_inventory gave for these models and questions: several machines are planned for
/// with one inventory.
Plan make_plan(Inventory inventory, std::span<const SurveyedModel> models,
               const std::vector<Question>& questions, const CostModel& costs, const MachineLayout& machine,
               std::uint64_t memory_per_rank, WidthRule width_rule = WidthRule::soonest);

}  // namespace stemma
