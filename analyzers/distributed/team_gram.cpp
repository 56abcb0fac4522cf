// Each rank multiplies what its own blocks need.
#include "analyzers/distributed/team_gram.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/exact_sum.hpp"

namespace stemma {
namespace {

constexpr std::uint64_t joined =
    2 * DealtAxis::block;  // columns of one dgemm: narrower ones are slower by a tenth

}  // namespace

TeamGram::TeamGram(const MatrixForm& form, const Team& team)
    : form_(form),
      height_(panel_height(form)),
      gram_(team.grid(), form.k(), form.k()),
      grid_row_(team.grid().row()),
      grid_col_(team.grid().col()),
      row_strip_(height_ * gram_.local_rows()),
      col_strip_(height_ * gram_.local_cols()) {}

void TeamGram::take(std::span<const std::byte> rows) {
  if (grid_row_ < 0) return;
  const std::uint64_t row_bytes = form_.row_bytes(), size = form_.element_bytes();
  const auto widen_runs = [&](const DealtAxis& axis, int part, std::span<const std::byte> row,
                              LargeArray& strip, std::uint64_t width) {
    for_each_run(axis, part, [&](std::uint64_t local, std::uint64_t global, std::uint64_t length) {
      form_.widen_scaled(row.subspan(global * size, length * size),
                         std::span(strip).subspan(filled_ * width + local, length));
    });
  };
  for (; row_bytes > 0 && !rows.empty(); rows = rows.subspan(row_bytes)) {
    const auto row = rows.first(row_bytes);
    widen_runs(gram_.row_axis(), grid_row_, row, row_strip_, gram_.local_rows());
    widen_runs(gram_.col_axis(), grid_col_, row, col_strip_, gram_.local_cols());
    if (++filled_ < height_) continue;
    update(filled_, false);
    filled_ = 0;
  }
}

void TeamGram::take_wide(std::span<const std::byte> matrix) {
  if (grid_row_ < 0) return;
  const std::uint64_t size = form_.element_bytes();
  for (std::uint64_t first = 0; first < form_.cols; first += height_) {
    const std::uint64_t some = std::min(height_, form_.cols - first);
    const auto widen_rows = [&](const DealtAxis& axis, int part, LargeArray& strip) {
      for (std::uint64_t local = 0; local < axis.local_size(part); ++local)
        form_.widen_scaled(
            matrix.subspan(axis.global_of(part, local) * form_.row_bytes() + first * size, some * size),
            std::span(strip).subspan(local * some, some));
    };
    widen_rows(gram_.row_axis(), grid_row_, row_strip_);
    widen_rows(gram_.col_axis(), grid_col_, col_strip_);
    update(some, true);
  }
}

/// Strips are (local size) x depth, column-major, or their transpose when `by_columns`.
void TeamGram::update(std::uint64_t depth, bool by_columns) {
  const std::uint64_t rows = gram_.local_rows(), cols = gram_.local_cols();
  for (std::uint64_t col = 0; col < cols; col += joined) {
    const std::uint64_t width = std::min(joined, cols - col);
    // The first row block on or below the diagonal of the first column block.
    std::uint64_t row = 0;
    while (row < rows && gram_.global_row(row) < gram_.global_col(col)) row += DealtAxis::block;
    if (row >= rows) continue;
    const std::uint64_t height = rows - row;
    double* const part = &gram_.at(row, col);
    if (by_columns) {
      dgemm(Transpose::yes, Transpose::no, height, width, depth, 1, row_strip_.data() + row * depth, depth,
            col_strip_.data() + col * depth, depth, 1, part, gram_.stride());
    } else {
      dgemm(Transpose::no, Transpose::yes, height, width, depth, 1, row_strip_.data() + row, rows,
            col_strip_.data() + col, cols, 1, part, gram_.stride());
    }
  }
}

DealtMatrix TeamGram::finish() {
  if (filled_ > 0) update(filled_, false);
  filled_ = 0;
  row_strip_ = {};
  col_strip_ = {};
  return std::move(gram_);
}

GramFacts gram_facts(const Team& team, const DealtMatrix& lower, const Probes& x) {
  const std::uint64_t k = x[0].size();
  std::vector<double> sums(probes * k + 1, 0.0);  // both images, then the square: one message for all
  ExactSum square;
  for (std::uint64_t col = 0; col < lower.local_cols(); ++col) {
    const std::uint64_t j = lower.global_col(col);
    double below = 0, diagonal = 0;
    std::array<double, probes> column{};
    for (std::uint64_t row = 0; row < lower.local_rows(); ++row) {
      const std::uint64_t i = lower.global_row(row);
      if (i < j) continue;
      const double g = lower.at(row, col);
      for (std::size_t p = 0; p < probes; ++p) sums[p * k + i] += g * x[p][j];
      if (i == j) {
        diagonal = g * g;
        continue;
      }
      below += g * g;
      for (std::size_t p = 0; p < probes; ++p) column[p] += g * x[p][i];
    }
    for (std::size_t p = 0; p < probes; ++p) sums[p * k + j] += column[p];
    square.add(diagonal + 2 * below);
  }
  sums.back() = square.value();
  team.sum(sums);
  GramFacts facts{.square = sums.back(), .images = {}};
  for (std::size_t p = 0; p < probes; ++p) {
    const auto first = sums.begin() + static_cast<std::ptrdiff_t>(p * k);
    facts.images[p].assign(first, first + static_cast<std::ptrdiff_t>(k));
  }
  return facts;
}

}  // namespace stemma
