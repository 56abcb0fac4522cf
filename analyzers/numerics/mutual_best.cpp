// Which rows and columns prefer each other to everyone else?
#include "analyzers/numerics/mutual_best.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "analyzers/numerics/score_rows.hpp"

namespace stemma {

namespace {

constexpr float lowest = -std::numeric_limits<float>::infinity();

}  // namespace

MutualBest::MutualBest(std::size_t rows, std::size_t columns) {
  check_sides(rows, columns);
  row_best_.assign(rows, lowest);
  column_best_.assign(columns, lowest);
  column_of_.assign(rows, unmatched);
  row_of_.assign(columns, unmatched);
}

void MutualBest::add(std::size_t row, std::size_t column, const ScoreView& tile) {
  check_view(tile);
  if (row + tile.rows > row_best_.size() || column + tile.columns > column_best_.size())
    throw std::invalid_argument("scores: a tile reaches beyond the matrix");
  if (tile.columns == 0) return;
  const auto bests = std::span(column_best_).subspan(column, tile.columns);
  const auto owners = std::span(row_of_).subspan(column, tile.columns);
  for (std::size_t i = row; i < row + tile.rows; ++i) {
    const std::span<const float> scores = tile.row(i - row);
    if (!raise_columns(scores, static_cast<std::int32_t>(i), bests, owners))
      throw std::invalid_argument("scores: NaN or infinite");
    const RowBest found = row_best(scores);
    if (found.best == row_best_[i]) column_of_[i] = unmatched;
    if (found.best <= row_best_[i]) continue;
    row_best_[i] = found.best;
    column_of_[i] = found.column == unmatched ? unmatched : static_cast<std::int32_t>(column) + found.column;
  }
  seen_ += tile.rows * tile.columns;
}

std::vector<std::int32_t> MutualBest::partners() const {
  if (seen_ != row_best_.size() * column_best_.size())
    throw std::logic_error("mutual_best: not every score came once");
  std::vector<std::int32_t> out(column_of_.size(), unmatched);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int32_t j = column_of_[i];
    if (j != unmatched && row_of_[static_cast<std::size_t>(j)] == static_cast<std::int32_t>(i)) out[i] = j;
  }
  return out;
}

std::vector<std::int32_t> mutual_best(const ScoreView& scores) {
  MutualBest best(scores.rows, scores.columns);
  best.add(0, 0, scores);
  return best.partners();
}

std::vector<std::int32_t> mutual_best(std::size_t rows, std::size_t columns, std::size_t tile_rows,
                                      std::size_t tile_columns, const FillTile& fill) {
  if (tile_rows == 0 || tile_columns == 0) throw std::invalid_argument("mutual_best: empty tiles");
  MutualBest best(rows, columns);
  std::vector<float> buffer(std::min(tile_rows, rows) * std::min(tile_columns, columns));
  for (std::size_t row = 0; row < rows; row += tile_rows)
    for (std::size_t column = 0; column < columns; column += tile_columns) {
      const Tile tile{row, column, std::min(tile_rows, rows - row), std::min(tile_columns, columns - column)};
      const auto scores = std::span(buffer).first(tile.rows * tile.columns);
      fill(tile, scores);
      best.add(row, column, {scores, tile.rows, tile.columns, tile.columns});
    }
  return best.partners();
}

Agreement agreement(std::span<const std::int32_t> first, std::span<const std::int32_t> second) {
  if (first.size() != second.size()) throw std::invalid_argument("agreement: matchings of different rows");
  Agreement out;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (first[i] == unmatched || second[i] == unmatched) continue;
    ++out.both;
    if (first[i] == second[i]) ++out.same;
  }
  return out;
}

}  // namespace stemma
