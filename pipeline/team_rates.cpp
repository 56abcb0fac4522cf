// Two sizes tell apart what shrinks with more ranks and what does not.
#include "pipeline/team_rates.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "analyzers/distributed/team_singular_values.hpp"
#include "pipeline/calibration.hpp"
#include "pipeline/clock.hpp"

namespace stemma {
namespace {

constexpr double least_efficiency = 0.05, shortest_step = 1e-6, longest_step = 1e-2;
constexpr std::uint64_t sizes[] = {1024, 2048};

/// Two ranks of one node; Collective over all ranks, also at its end.
class TwoRanks {
 public:
  explicit TwoRanks(const Communicator& ranks) {
    MPI_Comm node = MPI_COMM_NULL;
    check_mpi(MPI_Comm_split_type(ranks.handle(), MPI_COMM_TYPE_SHARED, ranks.rank(), MPI_INFO_NULL, &node),
              "MPI_Comm_split_type");
    const Communicator local(node);
    check_mpi(MPI_Comm_split(node, local.rank() / 2, local.rank(), &handle_), "MPI_Comm_split");
    check_mpi(MPI_Comm_free(&node), "MPI_Comm_free");
    ranks_ = Communicator(handle_);
  }
  ~TwoRanks() { MPI_Comm_free(&handle_); }
  TwoRanks(const TwoRanks&) = delete;
  TwoRanks& operator=(const TwoRanks&) = delete;
  const Communicator& ranks() const { return ranks_; }

 private:
  MPI_Comm handle_ = MPI_COMM_NULL;
  Communicator ranks_;
};

PairTiming timing_of(std::uint64_t k, Team& team, const CostModel& own) {
  const MatrixForm form{.dtype = Dtype::bf16, .rows = k, .cols = k};
  const std::vector<std::byte> weights = made_up_weights(k * k);
  ItemCost cost;
  cost.decompositions = {{form}};
  PairTiming timing{.k = k, .alone = own.seconds(cost, 1) - own.item_seconds, .together = INFINITY};
  for (int round = 0; round < 2; ++round) {  // the first one also makes what a team keeps
    team.ranks().all_reduce_min(0);
    const Stopwatch watch;
    TeamSingularValues values(form, team);
    values.take(weights);
    values.finish();
    timing.together = std::min(timing.together, team.largest(watch.seconds()));
  }
  return timing;
}

}  // namespace

TeamRates team_rates_of(const PairTiming& small, const PairTiming& large) {
  const double k1 = static_cast<double>(small.k), k2 = static_cast<double>(large.k);
  const double determinant = small.alone * k2 - large.alone * k1;
  double step = shortest_step;
  if (determinant != 0) step = (small.alone * large.together - large.alone * small.together) / determinant;
  step = std::isfinite(step) ? std::clamp(step, shortest_step, longest_step) : shortest_step;
  // The larger one decides: teams are for large matrices.
  const double shared = large.together - k2 * step;
  const double efficiency = shared > 0 ? large.alone / (2 * shared) : 1;
  return {std::clamp(efficiency, least_efficiency, 1.0), step};
}

void measure_teams(const Communicator& ranks, CostModel& own) {
  const TwoRanks pair(ranks);
  if (pair.ranks().size() < 2) return;
  Team team(pair.ranks());
  const PairTiming small = timing_of(sizes[0], team, own), large = timing_of(sizes[1], team, own);
  team.release();
  const TeamRates rates = team_rates_of(small, large);
  own.team_efficiency = rates.efficiency;
  own.step_seconds = rates.step_seconds;
}

}  // namespace stemma
