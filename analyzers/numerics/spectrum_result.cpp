// What is known of the singular values of a matrix once they were taken?
#include "analyzers/numerics/spectrum_result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "analyzers/numerics/blas_selftest.hpp"
#include "analyzers/numerics/lapack.hpp"
#include "io/model/finding.hpp"

namespace stemma {

std::string_view name_of(SpectrumMethod method) {
  constexpr std::array<std::string_view, 9> names = {
      "gram_dsyevd", "gram_dsyevd_2stage", "gram_elpa2", "gram_pdsyevr", "qr_dgesdd", "qr_dgejsv", "dgesdd",
      "pdgesvd",     "gram_shared"};
  return names.at(static_cast<std::size_t>(method));
}

std::vector<double> singular_values_of(std::span<const double> ascending) {
  std::vector<double> values(ascending.rbegin(), ascending.rend());
  for (double& x : values) x = x > 0 ? std::sqrt(x) : 0;
  return values;
}

int largest_exponent(const MatrixForm& form, std::span<const std::byte> elements) {
  std::vector<double> row(form.cols);
  double largest = 0;
  for (; !elements.empty(); elements = elements.subspan(form.row_bytes())) {
    form.widen_scaled(elements.first(form.row_bytes()), row);
    for (const double x : row)
      if (std::isfinite(x)) largest = std::max(largest, std::abs(x));
  }
  int exponent = 0;
  std::frexp(largest, &exponent);
  return exponent;
}

Spectrum unscaled(Spectrum spectrum, int exponent) {
  spectrum.count_below_tau = count_below(spectrum.values, spectrum.error.tau);
  if (exponent == 0) return spectrum;
  for (double& s : spectrum.values) s = std::scalbn(s, exponent);
  spectrum.error.s1 = std::scalbn(spectrum.error.s1, exponent);
  spectrum.error.tau = std::scalbn(spectrum.error.tau, exponent);
  for (double* square : {&spectrum.error.e_estimate, &spectrum.error.e_bound, &spectrum.frobenius_sq,
                         &spectrum.gaps.min_eigenvalue})
    *square = std::scalbn(*square, 2 * exponent);
  return spectrum;
}

void refuse_spectrum(const char* rule, std::string expected, std::string found) {
  const std::vector<std::string> complaints = blas_selftest();
  throw InvalidInput({.rule = rule,
                      .expected = std::move(expected),
                      .found = std::move(found),
                      .hint = complaints.empty()
                                  ? "BLAS passes its self-test; read the weights again"
                                  : "BLAS fails its self-test on this machine: " + complaints.front()});
}

void compare_spectra(Spectrum& spectrum, const Spectrum& other) {
  double worst = 0;
  for (std::size_t i = 0; i < spectrum.values.size(); ++i) {
    const double a = spectrum.values[i], b = other.values[i], difference = std::abs(a - b);
    worst = std::max(worst, difference / spectrum.error.s1);
    const double allowed = spectrum.error.bound(a) + other.error.bound(b);
    if (!(difference <= allowed))
      refuse_spectrum("spectrum.disagreement",
                      fmt::format("singular value {} within {:.3g} by two methods", i, allowed),
                      fmt::format("{:.17g} by {} and {:.17g} by {}", a, name_of(spectrum.method), b,
                                  name_of(other.method)));
  }
  spectrum.gaps.crosscheck_gap = worst;
}

std::vector<double> required_singular_values(std::span<double> matrix, std::uint64_t rows,
                                             std::uint64_t cols) {
  std::vector<double> values = dense_singular_values(matrix, rows, cols);
  if (values.empty() && !matrix.empty())
    refuse_spectrum("spectrum.invariant", "singular values", "dgesdd gave up");
  return values;
}

}  // namespace stemma
