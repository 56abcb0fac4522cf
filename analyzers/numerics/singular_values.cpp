// What are all singular values of a matrix, how far can they be off, and which checks say so?
#include "analyzers/numerics/singular_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "analyzers/numerics/lapack.hpp"
#include "analyzers/numerics/ritz_values.hpp"

namespace stemma {

namespace {

constexpr std::uint64_t one_stage_limit = 2048;
constexpr std::uint64_t repeat_limit = 2048;
constexpr std::uint64_t repeat_bytes = std::uint64_t{256} << 20U;

}  // namespace

SpectrumMethod method_for(std::uint64_t k) {
  return k <= one_stage_limit ? SpectrumMethod::gram_dsyevd : SpectrumMethod::gram_dsyevd_2stage;
}

SpectrumSolvers SpectrumSolvers::lapack() {
  return {[](std::span<double> lower, std::uint64_t k) -> Eigenvalues {
            if (method_for(k) == SpectrumMethod::gram_dsyevd_2stage)
              return {symmetric_eigenvalues(lower, k, Tridiagonalisation::two_stage), {}};
            const auto reduced = std::make_shared<const Tridiagonal>(lower, k);
            return {reduced->eigenvalues(),
                    [reduced](std::span<const double> some) { return reduced->vectors(some); }};
          },
          dense_singular_values};
}

bool repeatable(const MatrixForm& form) {
  return form.k() <= repeat_limit &&
         form.longest() <= repeat_bytes / 8 / std::max<std::uint64_t>(form.k(), 1);
}

std::uint64_t singular_values_memory(const MatrixForm& form) {
  constexpr std::uint64_t block = 256;  // columns that LAPACK takes at a time, in its workspaces
  const std::uint64_t k = form.k();
  const bool held = form.wide() || form.dtype == Dtype::f64 || repeatable(form);
  const std::uint64_t panel = whole_pages(8 * k * panel_height(form));
  const std::uint64_t polish = held ? 8 * most_polished * (k + form.longest()) + 8 * block * form.cols : 0;
  // The panel is gone when the Gram matrix is whole, and that is gone when dgesdd is asked.
  const std::uint64_t by_gram = whole_pages(8 * k * k) + std::max(panel, polish);
  const std::uint64_t by_dense = repeatable(form) ? 8 * k * form.longest() : 0;
  const std::uint64_t workspace = 8 * block * k;
  const std::uint64_t witness = 128 * form.cols;  // a few rows and sums of doubles
  return (held ? form.bytes() : 0) + std::max(by_gram, by_dense) + workspace + witness;
}

SingularValues::SingularValues(const MatrixForm& form, SpectrumSolvers solvers)
    : form_(form),
      solvers_(std::move(solvers)),
      held_(form.wide() || form.dtype == Dtype::f64 || repeatable(form)),
      streamed_(!form.wide() && form.dtype != Dtype::f64) {
  if (held_) bytes_.reserve(form.bytes());
  if (form_.k() == 0 || !streamed_) return;
  gram_.emplace(form_);
  witness_.emplace(form_);
}

void SingularValues::take(std::span<const std::byte> rows) {
  if (form_.k() == 0) return;
  if (held_) bytes_.insert(bytes_.end(), rows.begin(), rows.end());
  if (!streamed_) return;
  gram_->take(rows);
  witness_->take(rows);
}

MatrixFacts SingularValues::witnessed() {
  if (!streamed_) {
    if (form_.dtype == Dtype::f64) {
      const int exponent = largest_exponent(form_, bytes_);
      form_.exponent = std::abs(exponent) > harmless_exponent ? exponent : 0;
    }
    witness_.emplace(form_);
    witness_->take(bytes_);
    if (form_.wide()) witness_->take_again(0, bytes_);
  }
  MatrixFacts facts = witness_->finish();
  witness_.reset();
  return facts;
}

Spectrum SingularValues::by_gram(const MatrixFacts& facts, std::optional<Violation>& violation) {
  LargeArray gram = streamed_ ? gram_->finish() : gram_of(form_, bytes_);
  gram_.reset();
  const GramFacts gram_says = gram_facts(gram, probe_vectors(form_));
  const Eigenvalues eigenvalues = solvers_.eigenvalues(gram, form_.k());
  Spectrum out{.method = method_for(form_.k()), .frobenius_sq = facts.frobenius_sq};
  if (eigenvalues.ascending.empty()) {
    violation = Violation{"unconverged eigenvalues", 1, 0};
    return out;
  }
  violation = check_eigenvalues(form_, facts, gram_says, eigenvalues.ascending, out.gaps);
  out.values = singular_values_of(eigenvalues.ascending);
  out.error = gram_error(form_.rows, form_.cols, out.values.front(), facts.frobenius_sq);
  if (!violation && held_) polish(out, eigenvalues);
  return out;
}

std::uint64_t values_to_polish(const Spectrum& spectrum) {
  const std::uint64_t few = count_below(spectrum.values, spectrum.values.front() * small_value);
  return few > most_polished || spectrum.values.back() < spectrum.error.tau ? 0 : few;
}

void replace_smallest(Spectrum& spectrum, std::span<const double> better) {
  std::vector<double>& values = spectrum.values;
  const std::uint64_t k = values.size(), few = better.size();
  if (few == 0 || (few < k && better.front() > values[k - few - 1])) return;
  for (std::uint64_t i = 0; i < few; ++i) {
    const double s = values[k - few + i];
    if (!(std::abs(better[i] - s) <= spectrum.error.estimate(s))) return;
  }
  std::copy(better.begin(), better.end(), values.end() - static_cast<std::ptrdiff_t>(few));
}

void SingularValues::polish(Spectrum& spectrum, const Eigenvalues& eigenvalues) const {
  const std::uint64_t few = values_to_polish(spectrum);
  if (!eigenvalues.vectors || few == 0) return;
  const std::vector<double> directions = eigenvalues.vectors(std::span(eigenvalues.ascending).first(few));
  if (!directions.empty()) replace_smallest(spectrum, ritz_values(form_, bytes_, directions, few));
}

Spectrum SingularValues::by_dense(const MatrixFacts& facts, std::optional<Violation>& violation) {
  Spectrum out{.method = SpectrumMethod::dgesdd, .frobenius_sq = facts.frobenius_sq};
  {
    std::vector<double> matrix(form_.rows * form_.cols);  // row-major, the transpose for LAPACK
    form_.widen_scaled(bytes_, matrix);
    out.values = solvers_.dense(matrix, form_.cols, form_.rows);
  }
  if (out.values.empty()) {
    violation = Violation{"unconverged singular values", 1, 0};
    return out;
  }
  violation = check_values(facts, out.values, out.gaps);
  out.error = backward_stable_error(form_.rows, form_.cols, out.values.front());
  return out;
}

std::optional<Spectrum> SingularValues::finish(const SpectrumRequest& request) {
  const std::uint64_t k = form_.k();
  if (k == 0) return Spectrum{};
  const MatrixFacts facts = witnessed();
  if (!facts.finite) return std::nullopt;
  if (facts.frobenius_sq == 0) {
    Spectrum zero{.values = std::vector<double>(k, 0.0), .method = method_for(k)};
    zero.error.k = k;
    return zero;
  }
  std::optional<Violation> violation, again;
  Spectrum spectrum = by_gram(facts, violation);
  const bool refine = request.refine && count_below(spectrum.values, spectrum.error.tau) > 0;
  if (!violation && !((request.crosscheck || refine) && repeatable(form_)))
    return unscaled(std::move(spectrum), form_.exponent);
  if (!repeatable(form_))
    refuse_spectrum("spectrum.invariant", "an identity that holds",
                    sentence(*violation) + "; too large to be repeated");
  Spectrum other = by_dense(facts, again);
  if (violation && again)
    refuse_spectrum("spectrum.invariant", "an identity that holds",
                    fmt::format("{} by {}; {} by {}", sentence(*violation), name_of(spectrum.method),
                                sentence(*again), name_of(other.method)));
  if (!violation && again)
    refuse_spectrum("spectrum.invariant", "an identity that holds", sentence(*again) + " by dgesdd");
  if (violation) {
    other.attempts = 2;
    other.gaps.square_gap = spectrum.gaps.square_gap;  // what the first attempt broke stays on record
    other.gaps.probe_gap = spectrum.gaps.probe_gap;
    other.gaps.min_eigenvalue = spectrum.gaps.min_eigenvalue;
    return unscaled(std::move(other), form_.exponent);
  }
  compare_spectra(spectrum, other);
  if (!refine) return unscaled(std::move(spectrum), form_.exponent);
  other.gaps.crosscheck_gap = spectrum.gaps.crosscheck_gap;
  return unscaled(std::move(other), form_.exponent);
}

}  // namespace stemma
