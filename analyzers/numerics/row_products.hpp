// What are a few rows times one vector, or times two?
#pragma once
#include <array>
#include <cstddef>
#include <span>

namespace stemma {

/// Rows that are multiplied together, so that an element of the vector is loaded once for all of them.
inline constexpr std::size_t rows_together = 4;

/// One number for each of the rows.
using RowNumbers = std::array<double, rows_together>;

/// Sums over each of `count` rows (at most rows_together, row-major, one after the other) times one or two
/// vectors. Every sum over a row has eight partial sums, of elements that are eight apart, added in order;
/// nothing is fused. So the bits depend neither on the instruction set nor on which rows come together.
RowNumbers row_products(std::span<const double> rows, std::size_t count, std::span<const double> x);
std::array<RowNumbers, 2> row_products(std::span<const double> rows, std::size_t count,
                                       std::span<const double> first, std::span<const double> second);

}  // namespace stemma
