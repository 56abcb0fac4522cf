// What are the sums over a few rows and over their columns that bear witness of a matrix?
#pragma once
#include <array>
#include <cstddef>
#include <span>

#include "analyzers/numerics/row_products.hpp"

namespace stemma {

/// Rows that go through a column's sums while those are in registers.
inline constexpr std::size_t witness_rows = rows_together;

/// Sums by column, of equal length, that go on from row to row.
struct ColumnSums {
  std::span<double> first, second;  ///< rows times their coefficients
  std::span<double> square, absolute;
};

/// Sums of a row's squares and magnitudes.
struct RowSums {
  RowNumbers square{}, absolute{};
};

/// Adds the rows, each times its two coefficients, their squares and their magnitudes to the columns' sums,
/// in order of the rows; the same squares and magnitudes summed by row come back.
RowSums add_rows(std::span<const double> rows, std::size_t count,
                 const std::array<RowNumbers, 2>& coefficients, const ColumnSums& columns);

}  // namespace stemma
