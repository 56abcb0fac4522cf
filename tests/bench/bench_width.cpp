// Is the number of ranks that the plan gives a matrix the one that ends sooner?
// mpirun -n 2 bench_width [k = 2048] [rounds = 3]
//
// One and two k x k bf16 matrices on two ranks, each by one rank alone (two of them side by side) and each by
// both ranks together (two of them one after the other), alternating in one run, the best of each counts;
// beside them what the plan chooses by rates measured here, and what it predicts. Prints JSON for each number
// of matrices.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "analyzers/distributed/team_singular_values.hpp"
#include "analyzers/distributed/world.hpp"
#include "pipeline/calibration.hpp"
#include "pipeline/team_rates.hpp"
#include "pipeline/width_search.hpp"
#include "tests/analyzers/matrices.hpp"
#include "tests/bench/collective_seconds.hpp"

namespace stemma {
namespace {

struct Measured {
  double narrow = INFINITY, wide = INFINITY;  ///< seconds for all matrices
};

Measured measure(const Communicator& ranks, Team& team, const matrices::Stored& matrix, int count,
                 int rounds) {
  Measured best;
  for (int round = 0; round < rounds; ++round) {
    best.narrow = std::min(best.narrow, collective_seconds(ranks, [&] {
                             for (int i = ranks.rank(); i < count; i += ranks.size())
                               matrices::spectrum_of(matrix);
                           }));
    best.wide = std::min(best.wide, collective_seconds(ranks, [&] {
                           for (int i = 0; i < count; ++i) {
                             TeamSingularValues values(matrix.form, team);
                             values.take(matrix.bytes);
                             values.finish();
                           }
                         }));
  }
  return best;
}

/// Says what the plan chooses, and what came of it.
void judge(const CostModel& rates, const MatrixForm& form, int count, const Measured& measured) {
  const auto machine = MachineLayout::uniform(3, 3, CoordinatorMode::dedicated);  // two ranks compute
  ItemCost cost;
  cost.decompositions = {{form}};
  cost.flops = cost.decompositions.front().witness_flops();
  const std::vector<std::uint32_t> items(static_cast<std::size_t>(count), 0);
  const WidthPlan plan = search_widths(machine, rates, std::span(&cost, 1), items, std::uint64_t{1} << 40);
  const int width = machine.width_at(plan.level.front());
  const double chosen = width == 1 ? measured.narrow : measured.wide;
  const double other = width == 1 ? measured.wide : measured.narrow;
  fmt::print(
      "{{\"k\": {}, \"matrices\": {}, \"chosen_width\": {}, \"predicted_seconds\": {:.4f}, "
      "\"seconds_narrow\": "
      "{:.4f}, \"seconds_team\": {:.4f}, \"other_over_chosen\": {:.3f}}}\n",
      form.k(), count, width, plan.makespan, measured.narrow, measured.wide, other / chosen);
}

int run(const Communicator& ranks, std::uint64_t k, int rounds) {
  const matrices::Stored matrix = matrices::gaussian(Dtype::bf16, k, k, 1);
  CostModel rates = calibrate(ranks, nullptr);
  measure_teams(ranks, rates);  // which two ranks of a run would not: rank 0 is in no team
  Team team(ranks);
  for (const int count : {1, 2}) {
    const Measured measured = measure(ranks, team, matrix, count, rounds);
    if (ranks.leads()) judge(rates, matrix.form, count, measured);
  }
  team.release();
  return 0;
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) {
  const stemma::World world(stemma::launch_from_environment());
  return stemma::run(world.all(), argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 2048,
                     argc > 2 ? std::atoi(argv[2]) : 3);
}
