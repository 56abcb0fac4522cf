// How do we call LAPACK for eigenvalues and singular values?
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace stemma {

/// A symmetric matrix brought to tridiagonal form T by reflections (dsytrd).
class Tridiagonal {
 public:
  /// Overwrites `lower` (lower triangle, n x n column-major) with the reflections; it must live as long as
  /// this. Elements between 1e-140 and 1e140 or zero: nothing is scaled. Throws std::overflow_error beyond
  /// 32-bit integers.
  Tridiagonal(std::span<double> lower, std::uint64_t n);

  /// All, ascending (dsterf). Empty when the iteration did not converge.
  std::vector<double> eigenvalues() const;

  /// Orthonormal eigenvectors, n x count column-major, of `count` neighbouring eigenvalues, ascending
  /// (dstein, dormtr). Empty when one does not converge.
  std::vector<double> vectors(std::span<const double> eigenvalues) const;

 private:
  std::span<double> reflections_;
  std::uint64_t n_;
  std::vector<double> diagonal_, off_diagonal_, scale_;
};

/// Makes the `count` columns of v, of n elements each, orthonormal by Gram-Schmidt, each against those before
/// it, twice: once leaves vectors of near values oblique.
void make_orthonormal(std::span<double> v, std::uint64_t n, std::uint64_t count);

/// The lower triangle of a symmetric band matrix: elements whose row is at most `width` below their column.
struct BandMatrix {
  BandMatrix(std::uint64_t order, std::uint64_t below)
      : n(order), width(below), elements(order * (below + 1)) {}
  double& at(std::uint64_t row, std::uint64_t col) { return elements[col * (width + 1) + row - col]; }
  std::uint64_t n, width;
  std::vector<double> elements;  ///< (width + 1) x n, column-major, as LAPACK stores it
};

/// All eigenvalues, ascending (dsytrd_sb2st, dsterf). Empty when the iteration did not converge.
std::vector<double> band_eigenvalues(BandMatrix matrix);

/// QR of a panel, rows x cols column-major, which is overwritten by R and, below its diagonal, the
/// Householder vectors V; `factor` (cols x cols) gets the upper triangle of T in Q = I - V T V^T (dgeqrf,
/// dlarft), its first min(rows, cols) rows and columns.
void householder_panel(std::span<double> panel, std::uint64_t rows, std::uint64_t cols,
                       std::span<double> factor);

/// One-stage or two-stage reduction to tridiagonal form (what dsyevd does without vectors, dsyevd_2stage).
enum class Tridiagonalisation : std::uint8_t { one_stage, two_stage };

/// All eigenvalues, ascending, of a symmetric matrix given by its lower triangle, n x n column-major, which
/// is overwritten. Empty when the iteration did not converge. Throws std::overflow_error beyond 32-bit
/// integers.
std::vector<double> symmetric_eigenvalues(std::span<double> lower, std::uint64_t n, Tridiagonalisation how);

/// All singular values, descending, of a column-major rows x cols matrix, which is overwritten (dgesdd with
/// jobz N). Empty when the iteration did not converge or the matrix is empty.
std::vector<double> dense_singular_values(std::span<double> matrix, std::uint64_t rows, std::uint64_t cols);

/// R of A = Q R (dgeqrf) for a column-major rows x cols matrix with rows >= cols, which is overwritten:
/// cols x cols column-major, zeros below the diagonal.
std::vector<double> upper_factor(std::span<double> matrix, std::uint64_t rows, std::uint64_t cols);

/// L of A = L Q (dgelqf) for a column-major rows x cols matrix with rows <= cols, which is overwritten:
/// rows x rows column-major, zeros above the diagonal.
std::vector<double> lower_factor(std::span<double> matrix, std::uint64_t rows, std::uint64_t cols);

/// Q of A = Q R (dgeqrf, dorgqr) in place of the column-major rows x cols matrix, rows >= cols: orthonormal
/// columns whatever the rank of A, spanning the columns of A.
void orthonormal_factor(std::span<double> matrix, std::uint64_t rows, std::uint64_t cols);

/// Puts U V^T, the orthogonal matrix nearest to A = U S V^T, in place of the column-major n x n matrix A and
/// returns S, descending (dgesdd). Empty, and A destroyed, when the iteration did not converge or n is 0.
std::vector<double> polar_factor(std::span<double> matrix, std::uint64_t n);

}  // namespace stemma
