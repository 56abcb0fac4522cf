// Who could do what, in which order, and how long should it take?
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/cost_model.hpp"
#include "pipeline/question.hpp"
#include "pipeline/survey.hpp"

namespace stemma {

/// The smallest thing that is scheduled, counted and allowed to fail: stored tensors of one model that are
/// read together because some subject needs them together, or because they are small neighbours.
struct Item {
  std::uint32_t model = 0;             ///< index into the survey
  std::vector<std::uint32_t> tensors;  ///< stored tensors, in order of file and offset
  std::optional<std::uint32_t> file;   ///< instead of tensors: one whole file, for a question about its bytes
  std::uint32_t subjects = 0;          ///< how many results it will give
  int width = 1;                       ///< ranks that do it together
  double seconds = 0;                  ///< predicted, on so many ranks
  std::uint64_t bytes = 0;             ///< read from files, companions included
  std::uint64_t memory = 0;            ///< peak bytes on its rank
};

/// First tensor of an item, or its file: the name by which people know it. Not escaped.
std::string name_of(const Item& item, const Model& model);

/// What a run of these items on `ranks` ranks should look like. A value: pure arithmetic of its inputs.
struct Plan {
  int ranks = 1;
  int workers = 1;                        ///< ranks that compute
  std::vector<Item> items;                ///< in the order in which they are handed out: longest first
  std::vector<std::uint32_t> infeasible;  ///< items that fit on no rank, by index
  std::uint64_t memory_per_rank = 0;      ///< the budget, bytes
  std::uint64_t weight_bytes = 0;         ///< bytes of all tensors that are needed, each counted once
  std::uint64_t read_bytes = 0;           ///< bytes that will be read; more when a companion is read again
  std::uint64_t file_bytes = 0;           ///< of these, for questions about whole files
  std::uint64_t peak_memory = 0;          ///< largest item, bytes
  double work = 0;                        ///< W, rank-seconds
  double lower_bound = 0;                 ///< LB = max(W / workers, longest item), seconds
  double makespan = 0;                    ///< simulated, seconds
  std::string digest;                     ///< 16 hex digits; equal plans have equal digests

  double efficiency() const { return makespan > 0 ? lower_bound / makespan : 1; }
};

/// Ranks that compute in a world of `ranks`: all of them, until a dedicated coordinator pays (32 ranks).
enum class CoordinatorMode : std::uint8_t { automatic, shared, dedicated };
int workers_among(int ranks, CoordinatorMode mode);

/// Bytes that every rank needs whatever it works on: program, MPI, message pool, reading buffers.
inline constexpr std::uint64_t fixed_memory = 250'000'000;

/// Makes the plan. Models that could not be read take no part. Costs O(n log n) for n items, and no weight is
/// read.
Plan make_plan(std::span<const SurveyedModel> models, const std::vector<Question>& questions,
               const CostModel& costs, int ranks, CoordinatorMode mode, std::uint64_t memory_per_rank);

}  // namespace stemma
