// How large is a matrix in a few given directions?
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "analyzers/numerics/gram.hpp"

namespace stemma {

/// Singular values of A V (of A^T V for a wide matrix), descending; V has k rows and `count` orthonormal
/// columns, column-major. By interlacing each is an upper bound of as many smallest singular values of A.
/// When V spans approximate singular vectors with an error of d, they are off by O(d^2) and a rounding of s1,
/// where square roots of the eigenvalues of A^T A are off by u s1^2 / 2s (Rayleigh-Ritz; Golub, Van Loan:
/// Matrix Computations, 4th ed., 8.1.4). Empty when LAPACK does not converge.
std::vector<double> ritz_values(const MatrixForm& form, std::span<const std::byte> matrix,
                                std::span<const double> v, std::uint64_t count);

/// The part of A V (of A^T V) that comes from the consecutive rows [first_row, ...), added to `image`,
/// column-major longest x count: what several ranks do, each with its rows, before they add their images.
void add_image(const MatrixForm& form, std::uint64_t first_row, std::span<const std::byte> rows,
               std::span<const double> v, std::uint64_t count, std::span<double> image);

}  // namespace stemma
