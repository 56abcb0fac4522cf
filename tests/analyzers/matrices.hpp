// Which matrices have singular values that are known otherwise?
#pragma once
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <vector>

#include "analyzers/numerics/singular_values.hpp"
#include "io/model/widen.hpp"
#include "tests/analyzers/toy_model.hpp"

namespace stemma::matrices {

/// A matrix as bytes in its stored type.
struct Stored {
  MatrixForm form;
  std::vector<std::byte> bytes;

  std::vector<double> values() const {
    std::vector<double> out(form.rows * form.cols);
    widen(form.dtype, bytes, out);
    return out;
  }
};

inline Stored stored(Dtype dtype, std::uint64_t rows, std::uint64_t cols, const std::vector<double>& values) {
  return {{dtype, rows, cols}, toy::encode(dtype, values)};
}

inline Stored gaussian(Dtype dtype, std::uint64_t rows, std::uint64_t cols, unsigned seed,
                       double spread = 0.02) {
  return stored(dtype, rows, cols, toy::gaussian(rows * cols, spread, seed));
}

/// A = (I - 2 u u^T) S (I - 2 v v^T) with unit vectors u, v has the singular values S, and every element is a
/// short sum: S_ij - 2 u_i (u^T S)_j - 2 (S v)_i v_j + 4 (u^T S v) u_i v_j.
inline std::vector<double> with_values(const std::vector<double>& s, std::uint64_t rows, std::uint64_t cols) {
  const auto unit = [](std::uint64_t n, double shift) {
    std::vector<double> x(n);
    double square = 0;
    for (std::uint64_t i = 0; i < n; ++i) x[i] = 1.5 + std::sin(shift + 3 * static_cast<double>(i));
    for (const double a : x) square += a * a;
    for (double& a : x) a /= std::sqrt(square);
    return x;
  };
  const std::vector<double> u = unit(rows, 1), v = unit(cols, 2);
  const auto diagonal = [&](std::uint64_t i) { return i < s.size() ? s[i] : 0.0; };
  double middle = 0;
  for (std::uint64_t i = 0; i < s.size(); ++i) middle += u[i] * s[i] * v[i];
  std::vector<double> a(rows * cols);
  for (std::uint64_t i = 0; i < rows; ++i)
    for (std::uint64_t j = 0; j < cols; ++j) {
      const double us = j < rows ? u[j] * diagonal(j) : 0, sv = i < cols ? diagonal(i) * v[i] : 0;
      a[i * cols + j] = (i == j ? diagonal(i) : 0) - 2 * u[i] * us - 2 * sv * v[j] + 4 * middle * u[i] * v[j];
    }
  return a;
}

/// Singular values by Jacobi rotations in 80-bit arithmetic, descending: eleven bits better than double.
inline std::vector<double> by_jacobi(const Stored& matrix) {
  using Matrix = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;
  const std::vector<double> values = matrix.values();
  Matrix a(static_cast<Eigen::Index>(matrix.form.rows), static_cast<Eigen::Index>(matrix.form.cols));
  for (Eigen::Index i = 0; i < a.rows(); ++i)
    for (Eigen::Index j = 0; j < a.cols(); ++j) a(i, j) = values[static_cast<std::size_t>(i * a.cols() + j)];
  const Matrix tall = a.rows() < a.cols() ? Matrix(a.transpose()) : a;
  const Eigen::JacobiSVD<Matrix, Eigen::ColPivHouseholderQRPreconditioner> decomposition(tall);
  std::vector<double> out;
  for (const long double s : decomposition.singularValues()) out.push_back(static_cast<double>(s));
  return out;
}

/// Takes the rows in pieces of `rows_at_once`.
inline std::optional<Spectrum> spectrum_of(const Stored& matrix, const SpectrumRequest& request = {},
                                           SpectrumSolvers solvers = SpectrumSolvers::lapack(),
                                           std::uint64_t rows_at_once = 1000000) {
  SingularValues values(matrix.form, std::move(solvers));
  std::span<const std::byte> rest = matrix.bytes;
  while (!rest.empty()) {
    const std::size_t some = std::min<std::size_t>(rest.size(), rows_at_once * matrix.form.row_bytes());
    values.take(rest.first(some));
    rest = rest.subspan(some);
  }
  return values.finish(request);
}

}  // namespace stemma::matrices
