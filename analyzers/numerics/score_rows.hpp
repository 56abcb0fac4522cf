// What do matchings ask of one row of scores: its best columns, the paths through it, the best of each
// column?
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "analyzers/numerics/score_view.hpp"

namespace stemma {

inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// Best and second best of scores[j] - price[j] over j, and the first column that has the best. Of one column
/// the second best is -inf, of none both are. Scores and prices are finite.
struct TwoBest {
  double best, second;
  std::size_t column;
};
TwoBest two_best(std::span<const float> scores, std::span<const double> price);

/// The columns with scores[j] - price[j] > threshold, ascending.
void collect_above(std::span<const float> scores, std::span<const double> price, double threshold,
                   std::vector<std::int32_t>& columns);

/// Columns whose least distance is known together.
inline constexpr std::size_t block_columns = 64;

/// Shortest paths so far: column j is at distance gap[j] + price[j], by way of row previous[j]. A gap of +inf
/// was never reached, one of -inf was visited and is left alone. least[b] is the least distance among the
/// columns of block b that were not visited, +inf when there are none.
struct Frontier {
  std::span<double> gap;
  std::span<std::int64_t> previous;
  std::span<const double> price;
  std::span<double> least;
};

/// Goes through one row, whose scores are those of the first columns: gap[j] becomes the lesser of itself and
/// base - scores[j], previous[j] becomes `row` where that is less.
void relax(std::span<const float> scores, double base, std::int64_t row, const Frontier& frontier);

/// Marks a column as visited.
void visit(std::size_t column, const Frontier& frontier);

/// The least of some values, +inf of none.
double least_of(std::span<const double> values);

/// Takes one row into the greatest of each column: best[j] is raised to scores[j] and owner[j] becomes `row`,
/// or unmatched where both were equal. Returns whether all scores are finite.
bool raise_columns(std::span<const float> scores, std::int32_t row, std::span<float> best,
                   std::span<std::int32_t> owner);

/// The greatest of a row, and the column that has it; unmatched when two have.
struct RowBest {
  float best;
  std::int32_t column;
};
RowBest row_best(std::span<const float> scores);

}  // namespace stemma
