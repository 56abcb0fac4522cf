// Which columns does a row of scores care for, while their prices rise?
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "analyzers/numerics/score_rows.hpp"
#include "analyzers/numerics/score_view.hpp"

namespace stemma {

/// For each row the few columns of the greatest profit, score - price, and a bound that the profit of no
/// other column exceeds. Prices never fall, so lists and bounds stay true; a list is made when a row is first
/// asked for and again when it no longer holds what it should. This is what spares the search for an
/// assignment nearly all of its passes through rows that have left the caches.
class Shortlists {
 public:
  struct Entry {
    std::int32_t column;
    float score;
  };

  /// Both stay the caller's. Scores are finite.
  Shortlists(const ScoreView& scores, std::span<const double> price);

  /// What stemma::two_best says of the whole row at the prices of now.
  TwoBest two_best(std::size_t row);

  /// Columns ascending, and the bound of all others; -inf when there are none.
  std::span<const Entry> entries(std::size_t row) const { return rows_[row].entries; }
  double bound(std::size_t row) const { return rows_[row].bound; }

  /// Makes the list of a row anew, at the prices of now.
  void renew(std::size_t row);

 private:
  struct Row {
    std::vector<Entry> entries;
    double bound;
  };

  double profit(std::size_t row, std::size_t column) const {
    return static_cast<double>(scores_.row(row)[column]) - price_[column];
  }
  double likely_bound(std::size_t row);
  TwoBest two_best_of(const Row& row) const;

  ScoreView scores_;
  std::span<const double> price_;
  std::vector<Row> rows_;
  std::vector<double> profits_;
  std::vector<std::int32_t> columns_;
};

}  // namespace stemma
