// Do a Gram matrix, its eigenvalues and the original matrix agree?
#include "analyzers/numerics/spectrum_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analyzers/numerics/exact_sum.hpp"
#include "analyzers/numerics/spectral_error.hpp"

namespace stemma {

namespace {

constexpr double identity_gate = 1e-12;

template <typename Term>
double exact_sum(std::span<const double> values, Term term) {
  ExactSum sum;
  for (const double x : values) sum.add(term(x));
  return sum.value();
}

double relative_gap(double a, double b) { return a == b ? 0 : std::abs(a - b) / std::abs(b); }

/// NaN is a violation too.
std::optional<Violation> beyond(const char* gap, double found, double allowed) {
  if (found <= allowed) return std::nullopt;
  return Violation{gap, found, allowed};
}

double norm_gap_of(const MatrixFacts& matrix, double s1) {
  if (s1 == 0) return matrix.norm_product == 0 ? 0 : 1;
  return std::max({0.0, (matrix.longest_row_or_column - s1) / s1, (s1 - matrix.norm_product) / s1});
}

double probe_gap_of(const MatrixFacts& matrix, const GramFacts& gram, double size) {
  double worst = 0;
  for (std::size_t p = 0; p < probes; ++p) {
    ExactSum sum;
    for (std::size_t i = 0; i < gram.images[p].size(); ++i) {
      const double difference = (gram.images[p][i] - matrix.images[p][i]) / size;
      sum.add(difference * difference);
    }
    const double gap = std::sqrt(sum.value());
    if (!(gap <= worst)) worst = gap;
  }
  return worst;
}

}  // namespace

std::string sentence(const Violation& violation) {
  return fmt::format("{} is {:.3g}, allowed {:.3g}", violation.gap, violation.found, violation.allowed);
}

GramFacts gram_facts(std::span<const double> lower, const Probes& x) {
  const std::size_t k = x[0].size();
  GramFacts facts;
  for (auto& image : facts.images) image.assign(k, 0.0);
  ExactSum square;
  for (std::size_t j = 0; j < k; ++j) {
    const double* column = lower.data() + j * k;
    double below = 0;
    std::array<double, probes> row{};
    for (std::size_t i = j + 1; i < k; ++i) {
      const double g = column[i];
      below += g * g;
      for (std::size_t p = 0; p < probes; ++p) {
        facts.images[p][i] += g * x[p][j];
        row[p] += g * x[p][i];
      }
    }
    for (std::size_t p = 0; p < probes; ++p) facts.images[p][j] += column[j] * x[p][j] + row[p];
    square.add(column[j] * column[j] + 2 * below);
  }
  facts.square = square.value();
  return facts;
}

std::optional<Violation> check_eigenvalues(const MatrixForm& form, const MatrixFacts& matrix,
                                           const GramFacts& gram, std::span<const double> eigenvalues,
                                           SpectrumGaps& gaps) {
  const double largest = std::max(0.0, eigenvalues.back());
  const double s1 = std::sqrt(largest);
  const SpectralError error = gram_error(form.rows, form.cols, s1, matrix.frobenius_sq);
  const double longest = static_cast<double>(form.longest());
  gaps.trace_gap = relative_gap(exact_sum(eigenvalues, [](double x) { return x; }), matrix.frobenius_sq);
  gaps.square_gap = relative_gap(exact_sum(eigenvalues, [](double x) { return x * x; }), gram.square);
  gaps.probe_gap = probe_gap_of(matrix, gram, std::sqrt(static_cast<double>(form.k())) * largest);
  gaps.min_eigenvalue = eigenvalues.front();
  gaps.norm_gap = norm_gap_of(matrix, s1);
  const double probe_gate = std::max(1e-13, 4 * 0x1p-53 * std::sqrt(longest));
  for (auto violation :
       {beyond("trace_gap", gaps.trace_gap, identity_gate), beyond("probe_gap", gaps.probe_gap, probe_gate),
        beyond("square_gap", gaps.square_gap, identity_gate),
        beyond("min_eigenvalue", -gaps.min_eigenvalue, error.e_bound),
        beyond("norm_gap", gaps.norm_gap, identity_gate)})
    if (violation) return violation;
  return std::nullopt;
}

std::optional<Violation> check_values(const MatrixFacts& matrix, std::span<const double> values,
                                      SpectrumGaps& gaps) {
  gaps.trace_gap = relative_gap(exact_sum(values, [](double s) { return s * s; }), matrix.frobenius_sq);
  gaps.norm_gap = norm_gap_of(matrix, values.front());
  if (auto violation = beyond("trace_gap", gaps.trace_gap, identity_gate)) return violation;
  return beyond("norm_gap", gaps.norm_gap, identity_gate);
}

}  // namespace stemma
