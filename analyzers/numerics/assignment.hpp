// Which one-to-one matching of rows with columns has the greatest total score?
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "analyzers/numerics/score_view.hpp"

namespace stemma {

/// An optimal assignment and its proof. Up to rounding of doubles, prices satisfy
///   score(i, j) <= row_price[i] + column_price[j], with equality where j is the column of row i,
/// and if one side is longer, its prices are >= 0, and 0 for what is unmatched. So no matching of as many
/// pairs has a greater total than the sum of all prices, which is the total of this one.
struct Assignment {
  std::vector<std::int32_t> column_of_row;  ///< unmatched for as many rows as exceed the columns
  std::vector<double> row_price, column_price;
  double total = 0;  ///< sum of the scores of all pairs
};

/// Solves the linear assignment problem, maximising: a matching of min(rows, columns) pairs. Prices are
/// doubles, so the scores count exactly. Takes rows and columns as they come and holds a short list for each
/// row; only when rows exceed columns it works on a transposed copy, which the caller may spare it. Usually a
/// few passes over the scores, at worst O(rows^2 columns). Equal totals are decided by indices, never by
/// addresses, threads or instruction sets; a constant matrix is assigned along its diagonal, so whoever takes
/// equal indices as evidence must permute the columns before. Throws std::invalid_argument for a score that
/// is NaN or infinite and for a bad view. Jonker, Volgenant, Computing 38 (1987) 325: column reduction,
/// augmenting row reduction, shortest augmenting paths. Bounds on what is not listed, so that most rows are
/// never read again, are ours.
Assignment best_assignment(const ScoreView& scores);

}  // namespace stemma
