// Which rows and columns prefer each other to everyone else?
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "analyzers/numerics/score_view.hpp"

namespace stemma {

/// A rectangle of a matrix of scores.
struct Tile {
  std::size_t row = 0, column = 0, rows = 0, columns = 0;
};

/// Takes a matrix of scores in tiles, in any order, each element once, and keeps the greatest of every row
/// and column: O(rows + columns) memory. A greatest score that two share is nobody's. The result depends on
/// the scores alone.
class MutualBest {
 public:
  /// Throws std::invalid_argument when a side is 2^31 or more.
  MutualBest(std::size_t rows, std::size_t columns);

  /// The scores whose first element is at (row, column). Throws std::invalid_argument for a bad view, for a
  /// tile that reaches beyond the matrix and for a score that is NaN or infinite.
  void add(std::size_t row, std::size_t column, const ScoreView& tile);

  /// For each row its partner: the column j with the row's greatest score, when row i has the greatest score
  /// of column j too; else unmatched. Throws std::logic_error unless as many scores came as the matrix has.
  std::vector<std::int32_t> partners() const;

 private:
  std::vector<float> row_best_, column_best_;
  std::vector<std::int32_t> column_of_, row_of_;
  std::size_t seen_ = 0;
};

/// The partners in a matrix that is held.
std::vector<std::int32_t> mutual_best(const ScoreView& scores);

/// The partners in a matrix of rows x columns that is never held: `fill` writes the scores of
/// a tile, row-major without gaps, into a buffer of at most tile_rows x tile_columns floats.
using FillTile = std::function<void(const Tile&, std::span<float>)>;
std::vector<std::int32_t> mutual_best(std::size_t rows, std::size_t columns, std::size_t tile_rows,
                                      std::size_t tile_columns, const FillTile& fill);

/// How far two matchings of the same rows agree: rows that both match, and rows that both match to the same
/// column. Throws std::invalid_argument when their lengths differ.
struct Agreement {
  std::size_t both = 0, same = 0;
};
Agreement agreement(std::span<const std::int32_t> first, std::span<const std::int32_t> second);

}  // namespace stemma
