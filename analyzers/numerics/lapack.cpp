// How do we call LAPACK for eigenvalues and singular values?
#include "analyzers/numerics/lapack.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/fortran_size.hpp"

extern "C" {
void dsytrd_(const char* uplo, const int* n, double* a, const int* lda, double* d, double* e, double* tau,
             double* work, const int* lwork, int* info);
void dsterf_(const int* n, double* diagonal, double* off_diagonal, int* info);
void dstein_(const int* n, const double* d, const double* e, const int* m, const double* w, const int* block,
             const int* split, double* z, const int* ldz, double* work, int* iwork, int* failed, int* info);
void dormtr_(const char* side, const char* uplo, const char* trans, const int* m, const int* n,
             const double* a, const int* lda, const double* tau, double* c, const int* ldc, double* work,
             const int* lwork, int* info);
// NOLINTNEXTLINE(readability-identifier-naming)
void dsytrd_sb2st_(const char* stage, const char* vectors, const char* uplo, const int* n, const int* width,
                   double* band, const int* ldab, double* d, double* e, double* hous, const int* lhous,
                   double* work, const int* lwork, int* info);
void dlarft_(const char* direct, const char* stored, const int* n, const int* k, double* v, const int* ldv,
             const double* tau, double* t, const int* ldt);
// NOLINTNEXTLINE(readability-identifier-naming)
void dsyevd_2stage_(const char* job, const char* uplo, const int* n, double* a, const int* lda, double* w,
                    double* work, const int* lwork, int* iwork, const int* liwork, int* info);
void dgesdd_(const char* job, const int* m, const int* n, double* a, const int* lda, double* s, double* u,
             const int* ldu, double* vt, const int* ldvt, double* work, const int* lwork, int* iwork,
             int* info);
void dgeqrf_(const int* m, const int* n, double* a, const int* lda, double* tau, double* work,
             const int* lwork, int* info);
void dgelqf_(const int* m, const int* n, double* a, const int* lda, double* tau, double* work,
             const int* lwork, int* info);
void dorgqr_(const int* m, const int* n, const int* k, double* a, const int* lda, const double* tau,
             double* work, const int* lwork, int* info);
}

namespace stemma {

namespace {

int workspace(double queried) {
  if (!(queried < static_cast<double>(std::numeric_limits<int>::max() - 16))) {
    throw std::overflow_error("workspace exceeds the 32-bit integers of LAPACK");
  }
  return static_cast<int>(queried) + 16;
}

/// dgeqrf or dgelqf; gives the scales of the reflections that are left in the matrix beside the triangle.
template <typename Factorisation>
std::vector<double> factorise(Factorisation factorisation, std::span<double> matrix, std::uint64_t rows,
                              std::uint64_t cols) {
  serialise_blas();
  const int m = fortran_size(rows), n = fortran_size(cols), query = -1;
  std::vector<double> scale(std::min(rows, cols));
  int info = 0;
  double wanted = 0;
  factorisation(&m, &n, matrix.data(), &m, scale.data(), &wanted, &query, &info);
  const int size = workspace(wanted);
  std::vector<double> work(static_cast<std::size_t>(size));
  factorisation(&m, &n, matrix.data(), &m, scale.data(), work.data(), &size, &info);
  return scale;
}

}  // namespace

void make_orthonormal(std::span<double> v, std::uint64_t n, std::uint64_t count) {
  for (std::size_t j = 0; j < count; ++j) {
    double* column = v.data() + j * n;
    for (int pass = 0; pass < 2; ++pass)
      for (std::size_t i = 0; i < j; ++i) {
        const double* other = v.data() + i * n;
        const double shadow = std::inner_product(column, column + n, other, 0.0);
        for (std::size_t r = 0; r < n; ++r) column[r] -= shadow * other[r];
      }
    const double length = std::sqrt(std::inner_product(column, column + n, column, 0.0));
    for (std::size_t r = 0; r < n; ++r) column[r] /= length;
  }
}

Tridiagonal::Tridiagonal(std::span<double> lower, std::uint64_t n)
    : reflections_(lower), n_(n), diagonal_(n), off_diagonal_(n), scale_(n) {
  serialise_blas();
  const int order = fortran_size(n), query = -1;
  int info = 0;
  double wanted = 0;
  dsytrd_("L", &order, lower.data(), &order, diagonal_.data(), off_diagonal_.data(), scale_.data(), &wanted,
          &query, &info);
  const int size = workspace(wanted);
  std::vector<double> work(static_cast<std::size_t>(size));
  dsytrd_("L", &order, lower.data(), &order, diagonal_.data(), off_diagonal_.data(), scale_.data(),
          work.data(), &size, &info);
}

std::vector<double> Tridiagonal::eigenvalues() const {
  std::vector<double> values = diagonal_, rest = off_diagonal_;
  const int order = fortran_size(n_);
  int info = 0;
  dsterf_(&order, values.data(), rest.data(), &info);
  return info == 0 ? values : std::vector<double>{};
}

std::vector<double> band_eigenvalues(BandMatrix matrix) {
  if (matrix.n == 0) return {};
  serialise_blas();
  const int order = fortran_size(matrix.n), width = fortran_size(matrix.width), rows = width + 1, query = -1;
  std::vector<double> values(matrix.n), rest(matrix.n);
  double reflections = 0, wanted = 0;
  int info = 0;
  dsytrd_sb2st_("N", "N", "L", &order, &width, matrix.elements.data(), &rows, values.data(), rest.data(),
                &reflections, &query, &wanted, &query, &info);
  const int kept = workspace(reflections), size = workspace(wanted);
  std::vector<double> vectors(static_cast<std::size_t>(kept)), work(static_cast<std::size_t>(size));
  dsytrd_sb2st_("N", "N", "L", &order, &width, matrix.elements.data(), &rows, values.data(), rest.data(),
                vectors.data(), &kept, work.data(), &size, &info);
  if (info == 0) dsterf_(&order, values.data(), rest.data(), &info);
  return info == 0 ? values : std::vector<double>{};
}

void householder_panel(std::span<double> panel, std::uint64_t rows, std::uint64_t cols,
                       std::span<double> factor) {
  const std::vector<double> scale = factorise(dgeqrf_, panel, rows, cols);
  const int m = fortran_size(rows), n = fortran_size(cols), vectors = fortran_size(scale.size());
  dlarft_("F", "C", &m, &vectors, panel.data(), &m, scale.data(), factor.data(), &n);
}

std::vector<double> Tridiagonal::vectors(std::span<const double> eigenvalues) const {
  const std::size_t count = eigenvalues.size();
  const int order = fortran_size(n_), many = fortran_size(count), query = -1;
  std::vector<double> out(n_ * count), work(5 * n_);
  std::vector<int> block(n_, 1), split(n_, order), integer_work(n_), failed(count);
  int info = 0;
  dstein_(&order, diagonal_.data(), off_diagonal_.data(), &many, eigenvalues.data(), block.data(),
          split.data(), out.data(), &order, work.data(), integer_work.data(), failed.data(), &info);
  if (info != 0) return {};
  double wanted = 0;
  dormtr_("L", "L", "N", &order, &many, reflections_.data(), &order, scale_.data(), out.data(), &order,
          &wanted, &query, &info);
  const int size = workspace(wanted);
  work.resize(static_cast<std::size_t>(size));
  dormtr_("L", "L", "N", &order, &many, reflections_.data(), &order, scale_.data(), out.data(), &order,
          work.data(), &size, &info);
  make_orthonormal(out, n_, count);
  return out;
}

std::vector<double> symmetric_eigenvalues(std::span<double> lower, std::uint64_t n, Tridiagonalisation how) {
  if (n == 0) return {};
  if (how == Tridiagonalisation::one_stage) return Tridiagonal(lower, n).eigenvalues();
  serialise_blas();
  const int order = fortran_size(n), query = -1;
  std::vector<double> values(n);
  int info = 0, integers = 0;
  double wanted = 0;
  dsyevd_2stage_("N", "L", &order, lower.data(), &order, values.data(), &wanted, &query, &integers, &query,
                 &info);
  const int size = workspace(wanted), integer_size = std::max(1, integers);
  std::vector<double> work(static_cast<std::size_t>(size));
  std::vector<int> integer_work(static_cast<std::size_t>(integer_size));
  dsyevd_2stage_("N", "L", &order, lower.data(), &order, values.data(), work.data(), &size,
                 integer_work.data(), &integer_size, &info);
  return info == 0 ? values : std::vector<double>{};
}

std::vector<double> dense_singular_values(std::span<double> matrix, std::uint64_t rows, std::uint64_t cols) {
  const std::uint64_t k = std::min(rows, cols);
  if (k == 0) return {};
  serialise_blas();
  const int m = fortran_size(rows), n = fortran_size(cols), one = 1, query = -1;
  std::vector<double> values(k);
  std::vector<int> integer_work(8 * k);
  int info = 0;
  double wanted = 0, unused = 0;
  dgesdd_("N", &m, &n, matrix.data(), &m, values.data(), &unused, &one, &unused, &one, &wanted, &query,
          integer_work.data(), &info);
  const int size = workspace(wanted);
  std::vector<double> work(static_cast<std::size_t>(size));
  dgesdd_("N", &m, &n, matrix.data(), &m, values.data(), &unused, &one, &unused, &one, work.data(), &size,
          integer_work.data(), &info);
  return info == 0 ? values : std::vector<double>{};
}

std::vector<double> upper_factor(std::span<double> matrix, std::uint64_t rows, std::uint64_t cols) {
  std::vector<double> triangle(cols * cols);
  if (cols == 0) return triangle;
  factorise(dgeqrf_, matrix, rows, cols);
  for (std::uint64_t j = 0; j < cols; ++j)
    std::copy_n(matrix.data() + j * rows, j + 1, triangle.data() + j * cols);
  return triangle;
}

std::vector<double> lower_factor(std::span<double> matrix, std::uint64_t rows, std::uint64_t cols) {
  std::vector<double> triangle(rows * rows);
  if (rows == 0) return triangle;
  factorise(dgelqf_, matrix, rows, cols);
  for (std::uint64_t j = 0; j < rows; ++j)
    std::copy_n(matrix.data() + j * rows + j, rows - j, triangle.data() + j * rows + j);
  return triangle;
}

void orthonormal_factor(std::span<double> matrix, std::uint64_t rows, std::uint64_t cols) {
  if (cols == 0) return;
  const std::vector<double> scale = factorise(dgeqrf_, matrix, rows, cols);
  const int m = fortran_size(rows), n = fortran_size(cols), query = -1;
  int info = 0;
  double wanted = 0;
  dorgqr_(&m, &n, &n, matrix.data(), &m, scale.data(), &wanted, &query, &info);
  const int size = workspace(wanted);
  std::vector<double> work(static_cast<std::size_t>(size));
  dorgqr_(&m, &n, &n, matrix.data(), &m, scale.data(), work.data(), &size, &info);
}

std::vector<double> polar_factor(std::span<double> matrix, std::uint64_t n) {
  if (n == 0) return {};
  serialise_blas();
  const int order = fortran_size(n), query = -1;
  std::vector<double> values(n), left(n * n), right(n * n);
  std::vector<int> integer_work(8 * n);
  int info = 0;
  double wanted = 0;
  dgesdd_("A", &order, &order, matrix.data(), &order, values.data(), left.data(), &order, right.data(),
          &order, &wanted, &query, integer_work.data(), &info);
  const int size = workspace(wanted);
  std::vector<double> work(static_cast<std::size_t>(size));
  dgesdd_("A", &order, &order, matrix.data(), &order, values.data(), left.data(), &order, right.data(),
          &order, work.data(), &size, integer_work.data(), &info);
  if (info != 0) return {};
  dgemm(Transpose::no, Transpose::no, n, n, n, 1, left.data(), n, right.data(), n, 0, matrix.data(), n);
  return values;
}

}  // namespace stemma
