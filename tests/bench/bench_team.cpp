// How fast does a team take all singular values, beside ScaLAPACK's pdgesvd on the same ranks and one rank
// alone? mpirun -n P bench_team [k = 4096] [rounds = 1]
//
// One k x k bf16 matrix: the team's path with all its checks, pdgesvd without vectors on the same grid, and
// one rank's path run on the first rank while the others wait; alternating in one run, the best of each
// counts. Prints JSON, in seconds and ratios; fails when the values disagree by more than 1e-12 of the
// largest.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "analyzers/distributed/team_singular_values.hpp"
#include "analyzers/distributed/team_solvers.hpp"
#include "analyzers/distributed/world.hpp"
#include "tests/analyzers/matrices.hpp"
#include "tests/bench/collective_seconds.hpp"

namespace stemma {
namespace {

int run(const Communicator& ranks, std::uint64_t k, int rounds) {
  const matrices::Stored matrix = matrices::gaussian(Dtype::bf16, k, k, 1);
  const std::vector<double> values = matrix.values();
  Team team(ranks);
  const SpectrumMethod method = team_method_for(team, k);
  double together = INFINITY, alone = INFINITY, reference = INFINITY, gram = INFINITY, solver = INFINITY;
  std::optional<Spectrum> spectrum, single;
  std::vector<double> expected;
  for (int round = 0; round < rounds; ++round) {
    together = std::min(together, collective_seconds(ranks, [&] {
                          TeamSingularValues taken(matrix.form, team);
                          taken.take(matrix.bytes);
                          spectrum = taken.finish();
                        }));
    std::optional<DealtMatrix> lower;
    gram = std::min(gram, collective_seconds(ranks, [&] {
                      TeamGram sum(matrix.form, team);
                      sum.take(matrix.bytes);
                      lower = sum.finish();
                    }));
    solver = std::min(solver,
                      collective_seconds(ranks, [&] { team_eigenvalues(team, std::move(*lower), method); }));
    alone = std::min(alone, collective_seconds(ranks, [&] {
                       if (ranks.leads()) single = matrices::spectrum_of(matrix);
                     }));
    reference = std::min(reference, collective_seconds(ranks, [&] {
                           DealtMatrix dense(team.grid(), k, k);
                           for (std::uint64_t col = 0; col < dense.local_cols(); ++col)
                             for (std::uint64_t row = 0; row < dense.local_rows(); ++row)
                               dense.at(row, col) = values[dense.global_row(row) * k + dense.global_col(col)];
                           expected = team_dense_singular_values(team, std::move(dense));
                         }));
  }
  const GridShape grid = team.grid().shape();
  team.release();
  if (!ranks.leads()) return 0;
  double difference = 0;
  for (std::uint64_t i = 0; i < k; ++i)
    difference = std::max({difference, std::abs(spectrum->values[i] - expected[i]) / expected[0],
                           std::abs(spectrum->values[i] - single->values[i]) / expected[0]});
  fmt::print(
      "{{\"k\": {}, \"ranks\": {}, \"grid\": \"{}x{}\", \"method\": \"{}\", \"elpa\": \"{}\", \"seconds\": "
      "{:.4f}, "
      "\"seconds_gram\": {:.4f}, \"seconds_solver\": {:.4f}, \"seconds_pdgesvd\": {:.4f}, "
      "\"seconds_one_rank\": {:.4f}, "
      "\"faster_than_pdgesvd\": {:.2f}, \"team_efficiency\": {:.3f}, \"difference_over_s1\": {:.2g}}}\n",
      k, ranks.size(), grid.rows, grid.cols, name_of(method), elpa_version(), together, gram, solver,
      reference, alone, reference / together, alone / (together * ranks.size()), difference);
  return difference <= 1e-12 ? 0 : 1;
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) {
  const stemma::World world(stemma::launch_from_environment());
  return stemma::run(world.all(), argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 4096,
                     argc > 2 ? std::atoi(argv[2]) : 1);
}
