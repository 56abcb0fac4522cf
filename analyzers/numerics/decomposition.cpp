// What does it cost to take all singular values of one matrix, on one rank or shared by a team?
#include "analyzers/numerics/decomposition.hpp"

#include <algorithm>

#include "analyzers/numerics/grid_shape.hpp"
#include "analyzers/numerics/singular_values.hpp"

namespace stemma {

namespace {

constexpr std::uint64_t blocks_each = 4;  // ELPA fails where a row or column of the grid has no block

std::uint64_t share(std::uint64_t total, std::uint64_t parts) { return (total + parts - 1) / parts; }

/// The most of n rows or columns that one of the grid's rows or columns of ranks gets.
std::uint64_t dealt(std::uint64_t n, int parts) {
  return share(share(n, dealt_block), static_cast<std::uint64_t>(parts)) * dealt_block;
}

}  // namespace

double Decomposition::product_flops() const {
  const double k = static_cast<double>(form.k());
  return static_cast<double>(form.longest()) * k * k;
}

double Decomposition::eigenvalue_flops() const {
  const double k = static_cast<double>(form.k());
  return 4.0 / 3 * k * k * k;
}

double Decomposition::witness_flops() const {
  return 10 * static_cast<double>(form.longest()) * static_cast<double>(form.k());
}

int Decomposition::widest() const {
  const std::uint64_t side = form.k() / (blocks_each * dealt_block);  // longest side of a grid
  return static_cast<int>(std::clamp<std::uint64_t>(side * side, 1, 1U << 20U));
}

std::uint64_t Decomposition::memory(int ranks, bool one_node) const {
  if (ranks == 1) return singular_values_memory(form);
  const GridShape grid = squarest(ranks);
  const std::uint64_t k = form.k();
  const std::uint64_t local_rows = dealt(k, grid.rows), local_cols = dealt(k, grid.cols);
  const std::uint64_t gram = 8 * local_rows * local_cols;
  const std::uint64_t strips = 8 * panel_height(form) * (local_rows + local_cols);
  const std::uint64_t witness = 128 * form.cols;
  // ELPA 2022.11 holds four more matrices of that size before it is through, although no vectors are asked
  // for, and strips a few blocks wide.
  const std::uint64_t elpa = 4 * gram + 24 * dealt_block * (local_rows + local_cols);
  // In memory that a team shares the lower triangle stands once; beside it strips as wide as the band.
  const std::uint64_t shared = share(4 * k * (k + 1024), static_cast<std::uint64_t>(ranks)) + 2600 * k;
  const std::uint64_t solver = one_node && ranks <= most_sharing_ranks ? shared : elpa;
  const bool kept = form.wide() || form.dtype == Dtype::f64 || repeatable(form);
  if (!kept) return gram + std::max(strips + witness, solver);
  // Another copy of the Gram matrix waits for the small directions while the solver uses its own up.
  const std::uint64_t polish = std::uint64_t{16} * (2 * most_polished + 8) * (k + form.longest());
  return share(form.bytes(), static_cast<std::uint64_t>(ranks)) + gram +
         std::max({strips + witness, gram + solver, polish});
}

}  // namespace stemma
