// Do a Gram matrix, its eigenvalues and the original matrix agree?
#pragma once
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analyzers/numerics/matrix_witness.hpp"

namespace stemma {

/// What is known of a Gram matrix before its eigenvalues are taken. Whoever holds the matrix, one rank or
/// many, fills this.
struct GramFacts {
  double square = 0;  ///< |G|_F^2
  Probes images;      ///< G x of each probe
};

/// Of the lower triangle, k x k column-major, without BLAS.
GramFacts gram_facts(std::span<const double> lower, const Probes& x);

/// How far the identities are from holding, relative; NaN: not asked. Each gap has a gate, and what each
/// cannot see another one does:
///
///   trace_gap       |sum L - |A|_F^2| / |A|_F^2          1e-12                      blind to off-diagonal
///   errors square_gap      |sum L^2 - |G|_F^2| / |G|_F^2        1e-12                      solver probe_gap
///   |G x - A^T A x| / (sqrt(k) s1^2)     max(1e-13, 4 u sqrt M)     any element of G min_eigenvalue  in
///   squares of the weight's unit      >= -e_bound                G is not positive norm_gap        how far
///   s1 lies outside [largest row or column norm, sqrt(|A|_1 |A|_inf)], over s1:  1e-12 crosscheck_gap  |s -
///   s'| / s1, largest, s' by another method; judged value by value against both bounds
struct SpectrumGaps {
  static constexpr double not_asked = std::numeric_limits<double>::quiet_NaN();
  double trace_gap = not_asked, square_gap = not_asked, probe_gap = not_asked, min_eigenvalue = not_asked,
         norm_gap = not_asked, crosscheck_gap = not_asked;
};

/// A broken identity: which gap, what was found, what is allowed.
struct Violation {
  std::string gap;
  double found = 0;
  double allowed = 0;
};
std::string sentence(const Violation& violation);

/// Fills all gaps but the last from ascending eigenvalues. The first violation, if any, comes back.
std::optional<Violation> check_eigenvalues(const MatrixForm& form, const MatrixFacts& matrix,
                                           const GramFacts& gram, std::span<const double> eigenvalues,
                                           SpectrumGaps& gaps);

/// The checks that need no Gram matrix, for descending singular values by another method: trace and norms.
std::optional<Violation> check_values(const MatrixFacts& matrix, std::span<const double> values,
                                      SpectrumGaps& gaps);

}  // namespace stemma
