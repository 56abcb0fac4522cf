// What does it cost to take all singular values of one matrix, on one rank or shared by a team?
#include "analyzers/numerics/decomposition.hpp"

#include <algorithm>

#include "analyzers/numerics/grid_shape.hpp"
#include "analyzers/numerics/singular_values.hpp"

namespace stemma {

namespace {

constexpr std::uint64_t blocks_each = 4;  // ELPA fails where a row or column of the grid has no block

std::uint64_t share(std::uint64_t total, int parts) {
  const auto n = static_cast<std::uint64_t>(parts);
  return (total + n - 1) / n;
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

std::uint64_t Decomposition::memory(int ranks) const {
  if (ranks == 1) return singular_values_memory(form);
  const GridShape grid = squarest(ranks);
  const std::uint64_t k = form.k(), height = panel_height(form);
  const std::uint64_t local_rows = share(k, grid.rows) + dealt_block,
                      local_cols = share(k, grid.cols) + dealt_block;
  const std::uint64_t gram = 8 * local_rows * local_cols;
  const std::uint64_t strips = 8 * height * (local_rows + local_cols);
  const std::uint64_t solver =
      gram + 48 * dealt_block * (local_rows + local_cols);  // a second copy, and bands
  const bool kept = form.wide() || form.dtype == Dtype::f64 || repeatable(form);
  const std::uint64_t polish = std::uint64_t{16} * (2 * most_polished + 8) * (k + form.longest());
  const std::uint64_t held = kept ? share(form.bytes(), ranks) + gram + polish : 0;
  const std::uint64_t witness = 128 * form.cols;
  return held + gram + std::max(strips, solver) + witness;
}

}  // namespace stemma
