// How fast are all singular values, beside LAPACK and beside the multiplication rate of the same core?
// bench_spectrum [k = 2048] [rounds = 3]
//
// One k x k bf16 matrix: Stemma's path with all its checks, dgesdd without vectors on the same values, and
// the bound: M k^2 + 4/3 k^3 operations at the rate of dgemm. Everything alternates in one run, the best of
// each counts. Prints JSON, in seconds and ratios.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/lapack.hpp"
#include "pipeline/clock.hpp"
#include "tests/analyzers/matrices.hpp"

namespace stemma {
namespace {

template <typename Work>
double seconds_of(Work work) {
  const Stopwatch watch;
  work();
  return watch.seconds();
}

int run(std::uint64_t k, int rounds) {
  const matrices::Stored matrix = matrices::gaussian(Dtype::bf16, k, k, 1);
  const std::vector<double> values = matrix.values();
  double ours = INFINITY, lapack = INFINITY, gram = INFINITY, multiply = INFINITY, witness = INFINITY;
  std::optional<Spectrum> spectrum;
  std::vector<double> reference;
  for (int round = 0; round < rounds; ++round) {
    multiply = std::min(multiply, seconds_of([&] {
                          std::vector<double> c(k * k);
                          dgemm(Transpose::no, Transpose::yes, k, k, k, 1, values.data(), k, values.data(), k,
                                0, c.data(), k);
                        }));
    ours = std::min(ours, seconds_of([&] { spectrum = matrices::spectrum_of(matrix); }));
    gram = std::min(gram, seconds_of([&] { gram_of(matrix.form, matrix.bytes); }));
    witness = std::min(witness, seconds_of([&] {
                         MatrixWitness seen(matrix.form);
                         seen.take(matrix.bytes);
                         seen.finish();
                       }));
    lapack = std::min(lapack, seconds_of([&] {
                        auto copy = values;
                        reference = dense_singular_values(copy, k, k);
                      }));
  }
  double difference = 0;
  for (std::uint64_t i = 0; i < k; ++i)
    difference = std::max(difference, std::abs(spectrum->values[i] - reference[i]) / reference[0]);
  const double order = static_cast<double>(k);
  const double rate = 2 * order * order * order / multiply;
  const double bound = (7.0 / 3) * order * order * order / rate;
  fmt::print(
      "{{\"k\": {}, \"dgemm_gflops\": {:.1f}, \"seconds\": {:.4f}, \"seconds_gram\": {:.4f}, "
      "\"seconds_witness\": {:.4f}, "
      "\"seconds_dgesdd\": {:.4f}, \"faster_than_dgesdd\": {:.2f}, \"share_of_bound\": {:.3f}, "
      "\"difference_over_s1\": {:.2g}, \"count_below_tau\": {}}}\n",
      k, rate / 1e9, ours, gram, witness, lapack, lapack / ours, bound / ours, difference,
      spectrum->count_below_tau);
  return difference <= 1e-12 ? 0 : 1;
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) {
  return stemma::run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 2048,
                     argc > 2 ? std::atoi(argv[2]) : 3);
}
