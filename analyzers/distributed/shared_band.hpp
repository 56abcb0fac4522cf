// How do the ranks of one node take a symmetric matrix to a band together?
#pragma once
#include "analyzers/distributed/dealt_matrix.hpp"
#include "analyzers/numerics/lapack.hpp"

namespace stemma {

/// Collective over a team whose ranks all share one node's memory (Team::nodes() == 1). A band matrix with
/// the eigenvalues of the symmetric n x n matrix given by its lower triangle; every rank gets it. Throws
/// together when memory is short (memory.shared_too_small, std::bad_alloc): 8 n^2 bytes and a little are
/// shared.
///
/// The first of the two stages of a tridiagonal reduction (Bischof, Lang, Sun: A framework for symmetric band
/// reduction, ACM TOMS 26, 2000), as LAPACK's dsytrd_sy2sb does it on one core: a panel as wide as the band
/// is taken to triangular form by Householder vectors V, and both sides of the rest are multiplied with them.
/// All its 4/3 n^3 operations but the panels' are matrix products. Here each rank multiplies its own tiles of
/// the matrix, always the same ones, each once for both triangles; what is small (panels, factors) every rank
/// computes for itself. Three barriers for each panel. The same team and matrix give the same bits.
BandMatrix shared_band(const Team& team, const DealtMatrix& lower);

}  // namespace stemma
