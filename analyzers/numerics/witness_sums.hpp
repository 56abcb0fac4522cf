// What are the sums over a few rows and over their columns that bear witness of a matrix?
#pragma once
#include <array>
#include <cstddef>
#include <span>

namespace stemma {

/// Rows that go through a column's sums while those are in registers.
inline constexpr std::size_t witness_rows = 4;

/// One number for each of the rows, of each kind.
using RowNumbers = std::array<double, witness_rows>;

/// Sums by column, of equal length, that go on from row to row.
struct ColumnSums {
  std::span<double> first, second;  ///< rows times their coefficients
  std::span<double> square, absolute;
};

/// Sums of a row's squares and magnitudes.
struct RowSums {
  RowNumbers square{}, absolute{};
};

/// Sums over each of `count` rows (at most witness_rows, row-major, one after the other) times two vectors.
/// Every sum over a row has eight partial sums, of elements that are eight apart, added in order; nothing is
/// fused. So the bits depend neither on the instruction set nor on which rows come together.
std::array<RowNumbers, 2> row_products(std::span<const double> rows, std::size_t count,
                                       std::span<const double> first, std::span<const double> second);

/// Adds the rows, each times its two coefficients, their squares and their magnitudes to the columns' sums,
/// in order of the rows; the same squares and magnitudes summed by row come back.
RowSums add_rows(std::span<const double> rows, std::size_t count,
                 const std::array<RowNumbers, 2>& coefficients, const ColumnSums& columns);

}  // namespace stemma
