// How does a team take eigenvalues and singular values of a matrix that is dealt out over it?
#pragma once
#include <string>
#include <vector>

#include "analyzers/distributed/dealt_matrix.hpp"
#include "analyzers/numerics/singular_values.hpp"

namespace stemma {

/// Versions of the libraries that this program was built with; "" for one that it does not use.
struct TeamSolvers {
  std::string elpa, scalapack;
};
TeamSolvers team_solvers();
std::string elpa_version();

/// The solver that a team uses for a Gram matrix of that size: where the grid would have rows or columns with
/// less than four blocks, on which ELPA fails, the LAPACK of one rank (dsyevd); for up to four ranks of one
/// node the one-stage reduction in shared memory (gram_shared), which few ranks do fastest, because the
/// memory serves them all; for others ELPA's two-stage reduction where it was found, and pdsyevr otherwise.
SpectrumMethod team_method_for(const Team& team, std::uint64_t k);

/// Collective. All eigenvalues, ascending, of a symmetric matrix given by its lower triangle, which is used
/// up. Empty when the solver gave up on any rank. Every rank gets them. `how` is one of gram_elpa2,
/// gram_pdsyevr, gram_shared and gram_dsyevd; throws std::invalid_argument for others, for ELPA where there
/// is none, and for gram_shared on several nodes.
std::vector<double> team_eigenvalues(const Team& team, DealtMatrix lower, SpectrumMethod how);

/// Collective. All singular values, descending, of any matrix, which is used up, by ScaLAPACK's pdgesvd
/// without vectors: half of its work runs at the speed of memory, so it only checks. Empty when it gave up.
std::vector<double> team_dense_singular_values(const Team& team, DealtMatrix matrix);

/// Collective. `count` orthonormal vectors (k x count, column-major, the same on every rank) that nearly span
/// the directions of the smallest eigenvalues of a positive matrix given by its lower triangle, which is used
/// up: a few steps of inverse iteration on a block of vectors after a Cholesky factorisation (Golub, Van
/// Loan: Matrix Computations, 4th ed., 8.2.4). Directions i are off by (lambda_i / lambda_{count + 1})^8.
/// Empty when it is not positive.
std::vector<double> team_smallest_directions(const Team& team, DealtMatrix lower, std::uint64_t count);

/// Collective. lower = matrix^T matrix by ScaLAPACK's pdsyrk: what TeamGram is held to.
DealtMatrix team_syrk(const Team& team, const DealtMatrix& matrix);

}  // namespace stemma
