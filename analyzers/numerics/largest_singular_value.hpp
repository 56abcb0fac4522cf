// How large is the largest singular value of a matrix at least?
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace stemma {

/// y = A^T A x for the matrix in question; x and y have `cols` elements.
using NormalProduct = std::function<void(std::span<const double> x, std::span<double> y)>;

/// Lower bound of s1 by Golub-Kahan bidiagonalisation, run as its equal, the Lanczos recurrence on A^T A
/// (Golub, Van Loan: Matrix Computations, 4th ed., 10.4): one product per step, so that a matrix held in its
/// stored type is widened once. The largest Ritz value never exceeds s1^2 but for rounding, with or without
/// reorthogonalisation, and grows with every step. Stops as soon as the bound exceeds `enough`, when the
/// Krylov space is exhausted, or after `steps`. The start vector is +-1 by a counter-based generator: the
/// same for every matrix of that width. 0 for a zero matrix, NaN when a product is not finite.
double largest_singular_value_bound(const NormalProduct& product, std::uint64_t cols, double enough,
                                    int steps = 40);

}  // namespace stemma
