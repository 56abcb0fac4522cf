// How does a team sum a Gram matrix while rows go by, without a message?
#pragma once
#include <span>

#include "analyzers/distributed/dealt_matrix.hpp"
#include "analyzers/numerics/gram.hpp"
#include "analyzers/numerics/spectrum_checks.hpp"

namespace stemma {

/// Every rank sees all rows (they lie in memory that its node shares) and updates its own blocks of the lower
/// triangle: it widens the columns of its block rows and of its block columns and multiplies them (dgemm).
/// On four ranks as 2 x 2, rank (1, 0) widens the odd column blocks for its rows and the even ones for its
/// columns. The sums run in the order of panel_height, so that they do not depend on how the rows arrive.
class TeamGram {
 public:
  /// Local: allocates this rank's part. Throws as DealtMatrix does.
  TeamGram(const MatrixForm& form, const Team& team);

  /// The next whole rows of a tall or square matrix. Local.
  void take(std::span<const std::byte> rows);
  /// All rows of a wide matrix: A A^T by panels of columns. Local.
  void take_wide(std::span<const std::byte> matrix);

  /// The lower triangle, block by block; blocks above the diagonal hold nothing of use. The object is empty
  /// afterwards.
  DealtMatrix finish();

 private:
  void update(std::uint64_t depth, bool by_columns);

  MatrixForm form_;
  std::uint64_t height_;
  DealtMatrix gram_;
  int grid_row_, grid_col_;
  LargeArray row_strip_, col_strip_;  ///< the panel's columns for this rank's rows, for its columns
  std::uint64_t filled_ = 0;          ///< rows in the strips
};

/// Collective. Frobenius norm and probe images of a Gram matrix, from its lower blocks.
GramFacts gram_facts(const Team& team, const DealtMatrix& lower, const Probes& x);

}  // namespace stemma
