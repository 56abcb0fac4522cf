// What does it cost to verify singular values, beside taking them?
// bench_invariants [k = 2048] [rounds = 5] [M = k]
//
// One M x k bf16 matrix: everything that verification does (the witness that reads the elements, the look at
// the Gram matrix before its eigenvalues are taken, the checks behind them), and the whole spectrum with all
// of that in it; alternating in one run, the best of each counts. Prints JSON, in seconds and a ratio; fails
// when a check does.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "analyzers/numerics/lapack.hpp"
#include "pipeline/clock.hpp"
#include "tests/analyzers/matrices.hpp"

namespace stemma {
namespace {

/// Rows go by in panels of this many, as they do when a file is read.
constexpr std::uint64_t panel_rows = 256;

template <typename Work>
void best_of(double& best, Work work) {
  const Stopwatch watch;
  work();
  best = std::min(best, watch.seconds());
}

MatrixFacts witnessed(const matrices::Stored& matrix) {
  MatrixWitness witness(matrix.form);
  const std::size_t panel = panel_rows * matrix.form.row_bytes();
  for (std::span<const std::byte> rest = matrix.bytes; !rest.empty();
       rest = rest.subspan(std::min(panel, rest.size())))
    witness.take(rest.first(std::min(panel, rest.size())));
  if (matrix.form.wide()) witness.take_again(0, matrix.bytes);
  return witness.finish();
}

int run(std::uint64_t k, int rounds, std::uint64_t longest) {
  const matrices::Stored matrix = matrices::gaussian(Dtype::bf16, longest, k, 1);
  const LargeArray gram = gram_of(matrix.form, matrix.bytes);
  LargeArray used_up = gram;
  const std::vector<double> eigenvalues =
      symmetric_eigenvalues(used_up, matrix.form.k(), Tridiagonalisation::one_stage);
  double witness = INFINITY, before = INFINITY, after = INFINITY, spectrum = INFINITY;
  MatrixFacts facts;
  GramFacts gram_says;
  SpectrumGaps gaps;
  std::optional<Violation> violation;
  for (int round = 0; round < rounds; ++round) {
    best_of(witness, [&] { facts = witnessed(matrix); });
    best_of(before, [&] { gram_says = gram_facts(gram, probe_vectors(matrix.form)); });
    best_of(after, [&] { violation = check_eigenvalues(matrix.form, facts, gram_says, eigenvalues, gaps); });
    best_of(spectrum, [&] { matrices::spectrum_of(matrix, {}, SpectrumSolvers::lapack(), panel_rows); });
  }
  fmt::print(
      "{{\"k\": {}, \"M\": {}, \"seconds_witness\": {:.5f}, \"seconds_before\": {:.5f}, "
      "\"seconds_after\": {:.5f}, "
      "\"seconds_spectrum\": {:.5f}, \"verification_over_spectrum\": {:.4f}, \"probe_gap\": {:.2g}}}\n",
      matrix.form.k(), matrix.form.longest(), witness, before, after, spectrum,
      (witness + before + after) / spectrum, gaps.probe_gap);
  return violation ? 1 : 0;
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) {
  const auto argument = [&](int i, std::uint64_t otherwise) {
    return argc > i ? std::strtoull(argv[i], nullptr, 10) : otherwise;
  };
  const std::uint64_t k = argument(1, 2048);
  return stemma::run(k, static_cast<int>(argument(2, 5)), argument(3, k));
}
