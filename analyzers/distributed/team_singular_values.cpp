// The narrow path's steps, each dealt out: witness by rows, Gram matrix by blocks, eigenvalues by ELPA or
// ScaLAPACK.
#include "analyzers/distributed/team_singular_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analyzers/distributed/team_solvers.hpp"
#include "analyzers/distributed/unison.hpp"
#include "analyzers/numerics/lapack.hpp"
#include "analyzers/numerics/ritz_values.hpp"

namespace stemma {

TeamSingularValues::TeamSingularValues(const MatrixForm& form, Team& team, const TeamRequest& request)
    : form_(form),
      team_(team),
      request_(request),
      kept_(form.wide() || form.dtype == Dtype::f64 || repeatable(form)) {
  if (form_.k() == 0) return;
  if (kept_) matrix_ = &team_.shared(Team::Use::matrix, form_.bytes());
  in_unison(team_.ranks(), "finding room for a Gram matrix", [&] {
    if (!kept_) gram_.emplace(form_, team_);
    witness_.emplace(form_);
    if (request_.crosscheck) dense_.emplace(team_.grid(), form_.rows, form_.cols);
  });
}

TeamSingularValues::Share TeamSingularValues::share_of(std::uint64_t count, const Communicator& ranks) {
  const auto rank = static_cast<std::uint64_t>(ranks.rank()), size = static_cast<std::uint64_t>(ranks.size());
  return {count * rank / size, count * (rank + 1) / size};
}

void TeamSingularValues::take(std::span<const std::byte> rows) {
  if (form_.k() == 0 || failure_) return;
  try {
    take_rows(next_row_, rows);
    next_row_ += rows.size() / form_.row_bytes();
  } catch (...) {
    failure_ = std::current_exception();
  }
}

void TeamSingularValues::take_rows(std::uint64_t first, std::span<const std::byte> rows) {
  const std::uint64_t row_bytes = form_.row_bytes(), count = rows.size() / row_bytes;
  if (kept_) {
    const Share mine = share_of(count, team_.node());
    const auto part = rows.subspan(mine.begin * row_bytes, (mine.end - mine.begin) * row_bytes);
    std::copy(part.begin(), part.end(),
              matrix_->bytes().begin() + static_cast<std::ptrdiff_t>((first + mine.begin) * row_bytes));
    return;
  }
  gram_->take(rows);
  const Share mine = share_of(count, team_.ranks());
  witness_->take_from(first + mine.begin,
                      rows.subspan(mine.begin * row_bytes, (mine.end - mine.begin) * row_bytes));
  if (dense_) fill_dense(first, rows);
}

/// This rank's elements of rows [first, ...), widened.
void TeamSingularValues::fill_dense(std::uint64_t first, std::span<const std::byte> rows) {
  if (!team_.grid().holds()) return;
  const std::uint64_t row_bytes = form_.row_bytes(), size = form_.element_bytes();
  std::vector<double> values(form_.cols);
  for (std::uint64_t row = first; !rows.empty(); ++row, rows = rows.subspan(row_bytes)) {
    if (dense_->row_axis().owner_of(row) != team_.grid().row()) continue;
    const std::uint64_t local_row = dense_->row_axis().local_of(row);
    for_each_run(dense_->col_axis(), team_.grid().col(),
                 [&](std::uint64_t local, std::uint64_t global, std::uint64_t length) {
                   const auto out = std::span(values).first(length);
                   form_.widen_scaled(rows.subspan(global * size, length * size), out);
                   for (std::uint64_t i = 0; i < length; ++i) dense_->at(local_row, local + i) = out[i];
                 });
  }
}

std::span<const std::byte> TeamSingularValues::kept_rows(Share rows) const {
  return matrix_->bytes().subspan(rows.begin * form_.row_bytes(),
                                  (rows.end - rows.begin) * form_.row_bytes());
}

MatrixFacts TeamSingularValues::witnessed() {
  const auto sum = [&](std::span<double> values) { team_.sum(values); };
  const auto largest = [&](std::span<double> values) {
    for (double& x : values) x = team_.largest(x);
  };
  const Share mine = share_of(form_.rows, team_.ranks());
  if (kept_) {
    matrix_->fence();
    agree(team_.ranks(), "keeping a matrix", nullptr);  // everybody has written
    matrix_->fence();
    if (form_.dtype == Dtype::f64) {
      form_.exponent = static_cast<int>(team_.largest(largest_exponent(form_, kept_rows(mine))));
      if (std::abs(form_.exponent) <= harmless_exponent) form_.exponent = 0;
    }
    in_unison(team_.ranks(), "reading a kept matrix", [&] {
      witness_.emplace(form_);
      witness_->take_from(mine.begin, kept_rows(mine));
    });
  }
  witness_->join(sum, largest);
  if (form_.wide()) {
    witness_->take_again(mine.begin, kept_rows(mine));
    witness_->join_again(sum);
  }
  MatrixFacts facts = witness_->finish();
  witness_.reset();
  return facts;
}

DealtMatrix TeamSingularValues::gram() {
  if (!kept_) return gram_->finish();
  const auto all = kept_rows({0, form_.rows});
  return in_unison(team_.ranks(), "multiplying a kept matrix", [&] {
    if (dense_) fill_dense(0, all);
    TeamGram made(form_, team_);
    if (form_.wide()) {
      made.take_wide(all);
    } else {
      made.take(all);
    }
    return made.finish();
  });
}

void TeamSingularValues::polish(Spectrum& spectrum, DealtMatrix lower) {
  const std::uint64_t few = values_to_polish(spectrum);
  if (few == 0) return;
  // More directions than values: the last ones of a block converge slowly.
  const std::uint64_t count = std::min(2 * few + 8, form_.k());
  const std::vector<double> directions = team_smallest_directions(team_, std::move(lower), count);
  if (directions.empty()) return;
  std::vector<double> image = in_unison(team_.ranks(), "looking along small directions", [&] {
    std::vector<double> mine(form_.longest() * count, 0.0);
    const Share rows = share_of(form_.rows, team_.ranks());
    add_image(form_, rows.begin, kept_rows(rows), directions, count, mine);
    return mine;
  });
  team_.sum(image);
  const std::vector<double> values = in_unison(team_.ranks(), "looking along small directions", [&] {
    return dense_singular_values(image, form_.longest(), count);
  });
  if (values.size() == count) replace_smallest(spectrum, std::span(values).last(few));
}

void TeamSingularValues::check_by_pdgesvd(Spectrum& spectrum) {
  Spectrum other{.method = SpectrumMethod::pdgesvd};
  other.values = team_dense_singular_values(team_, std::move(*dense_));
  dense_.reset();
  in_unison(team_.ranks(), "comparing with pdgesvd", [&] {
    if (other.values.empty()) refuse_spectrum("spectrum.invariant", "singular values", "pdgesvd gave up");
    other.error = backward_stable_error(form_.rows, form_.cols, other.values.front());
    compare_spectra(spectrum, other);
  });
}

std::optional<Spectrum> TeamSingularValues::finish() {
  const std::uint64_t k = form_.k();
  if (k == 0) return Spectrum{};
  agree(team_.ranks(), "summing a Gram matrix", failure_);
  const MatrixFacts facts = witnessed();
  if (!facts.finite) return std::nullopt;
  const SpectrumMethod method = request_.solver.value_or(team_method_for(team_, k));
  if (facts.frobenius_sq == 0) {
    Spectrum zero{.values = std::vector<double>(k, 0.0), .method = method};
    zero.error.k = k;
    return zero;
  }
  DealtMatrix lower = gram();
  const GramFacts gram_says = gram_facts(team_, lower, probe_vectors(form_));
  const bool polishable = kept_ && method != SpectrumMethod::gram_dsyevd;  // the solver uses it up
  std::optional<DealtMatrix> copy = in_unison(team_.ranks(), "keeping a Gram matrix", [&] {
    return polishable ? std::optional(lower) : std::nullopt;
  });
  const std::vector<double> ascending = team_eigenvalues(team_, std::move(lower), method);
  Spectrum spectrum{.method = method, .frobenius_sq = facts.frobenius_sq};
  spectrum.grid = team_.grid().shape();
  in_unison(team_.ranks(), "checking a spectrum", [&] {
    if (ascending.empty())
      refuse_spectrum("spectrum.invariant", "eigenvalues", fmt::format("{} gave up", name_of(method)));
    const auto violation = check_eigenvalues(form_, facts, gram_says, ascending, spectrum.gaps);
    if (violation) refuse_spectrum("spectrum.invariant", "an identity that holds", sentence(*violation));
    spectrum.values = singular_values_of(ascending);
    spectrum.error = gram_error(form_.rows, form_.cols, spectrum.values.front(), facts.frobenius_sq);
  });
  if (copy) polish(spectrum, std::move(*copy));
  if (dense_) check_by_pdgesvd(spectrum);
  return unscaled(std::move(spectrum), form_.exponent);
}

}  // namespace stemma
