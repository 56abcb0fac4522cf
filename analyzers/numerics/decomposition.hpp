// What does it cost to take all singular values of one matrix, on one rank or shared by a team?
#pragma once
#include <cstdint>

#include "analyzers/numerics/gram.hpp"

namespace stemma {

/// Rows and columns of one block of a matrix that is dealt out over a grid of ranks (block-cyclic).
inline constexpr std::uint64_t dealt_block = 64;
/// Up to so many ranks of one node reduce a matrix in memory that they share; more of them would ask for more
/// than that memory gives.
inline constexpr int most_sharing_ranks = 4;

/// The work that a team may share: a rank-k update for the Gram matrix, then its eigenvalues,
/// and the sums that bear witness of both. Pure arithmetic.
struct Decomposition {
  MatrixForm form;

  /// M k^2: half of the multiplications of A^T A, because the result is symmetric.
  double product_flops() const;
  /// 4/3 k^3: reduction to tridiagonal form; what follows is of lower order.
  double eigenvalue_flops() const;
  /// 10 operations on each element, in plain loops: what the witness sums up beside BLAS.
  double witness_flops() const;
  /// The most ranks among which it can be dealt: every row and column of the squarest grid needs several
  /// blocks.
  int widest() const;
  /// Peak bytes on each rank of a team of that size, all on one node or not; 1 is a rank alone.
  std::uint64_t memory(int ranks, bool one_node = true) const;
};

}  // namespace stemma
