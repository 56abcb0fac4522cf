// How fast are all singular values, beside LAPACK and beside the multiplication rate of the same core?
// bench_spectrum [k = 2048] [rounds = 3] [M = k]
//
// One M x k bf16 matrix: Stemma's path with all its checks, dgesdd without vectors on the same values, dsyrk
// and dgemm of all its doubles at once, and the bound: M k^2 + 4/3 k^3 operations at the rate of dgemm.
// Everything alternates in one run, the best of each counts. Prints JSON, in seconds and ratios; fails when
// the values disagree by more than 1e-12 of the largest.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/decomposition.hpp"
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

int run(std::uint64_t k, int rounds, std::uint64_t longest) {
  const matrices::Stored matrix = matrices::gaussian(Dtype::bf16, longest, k, 1);
  const std::vector<double> values = matrix.values();  // row-major: k x M column-major
  std::vector<double> product(k * k);
  double ours = INFINITY, lapack = INFINITY, gram = INFINITY, update = INFINITY, multiply = INFINITY;
  std::optional<Spectrum> spectrum;
  std::vector<double> reference;
  for (int round = 0; round < rounds; ++round) {
    multiply = std::min(multiply, seconds_of([&] {
                          dgemm(Transpose::no, Transpose::yes, k, k, longest, 1, values.data(), k,
                                values.data(), k, 0, product.data(), k);
                        }));
    update = std::min(update, seconds_of([&] {
                        dsyrk(Transpose::no, k, longest, 1, values.data(), k, 0, product.data(), k);
                      }));
    ours = std::min(ours, seconds_of([&] { spectrum = matrices::spectrum_of(matrix); }));
    gram = std::min(gram, seconds_of([&] { gram_of(matrix.form, matrix.bytes); }));
    lapack = std::min(lapack, seconds_of([&] {
                        auto copy = values;
                        reference = dense_singular_values(copy, k, longest);
                      }));
  }
  double difference = 0;
  for (std::uint64_t i = 0; i < k; ++i)
    difference = std::max(difference, std::abs(spectrum->values[i] - reference[i]) / reference[0]);
  const Decomposition work{matrix.form};
  const double rate = 2 * work.product_flops() / multiply, update_rate = work.product_flops() / update;
  const double bound = (work.product_flops() + work.eigenvalue_flops()) / rate;
  fmt::print(
      "{{\"k\": {}, \"M\": {}, \"dgemm_gflops\": {:.1f}, \"dsyrk_over_dgemm\": {:.3f}, \"seconds\": {:.4f}, "
      "\"seconds_gram\": {:.4f}, \"seconds_dgesdd\": {:.4f}, \"faster_than_dgesdd\": {:.2f}, "
      "\"share_of_bound\": {:.3f}, \"difference_over_s1\": {:.2g}, \"count_below_tau\": {}}}\n",
      k, longest, rate / 1e9, update_rate / rate, ours, gram, lapack, lapack / ours, bound / ours, difference,
      spectrum->count_below_tau);
  return difference <= 1e-12 ? 0 : 1;
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) {
  const auto argument = [&](int i, std::uint64_t otherwise) {
    return argc > i ? std::strtoull(argv[i], nullptr, 10) : otherwise;
  };
  const std::uint64_t k = argument(1, 2048);
  return stemma::run(k, static_cast<int>(argument(2, 3)), argument(3, k));
}
