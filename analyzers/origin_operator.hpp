// What are the largest singular values of a matrix that is only applied, never formed?
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace stemma {

/// A rows x cols matrix P by what it does to blocks of vectors.
struct LinearOperator {
  /// y = P x or P^T x for `count` vectors, one a column, column-major.
  using Product = std::function<void(std::uint64_t count, std::span<const double> x, std::span<double> y)>;
  std::uint64_t rows = 0, cols = 0;
  Product apply, apply_transpose;
};

/// The row-major rows x cols matrix `a`, which has to outlive the operator.
LinearOperator matrix_operator(std::span<const double> a, std::uint64_t rows, std::uint64_t cols);

/// P = B A of row-major factors, B rows x inner and A inner x cols, which have to outlive the operator.
LinearOperator product_operator(std::span<const double> b, std::span<const double> a, std::uint64_t rows,
                                std::uint64_t inner, std::uint64_t cols);

/// Row-major factors of a matrix that nobody forms: left is rows x inner, right inner x cols.
struct ThinFactors {
  std::vector<double> left, right;
};

/// Those of the sum of two products of `rows` rows, left_1 right_1 + sign left_2 right_2:
/// [left_1 | sign left_2] [right_1 ; right_2].
ThinFactors sum_of_products(std::span<const double> left_1, std::span<const double> right_1, double sign,
                            std::span<const double> left_2, std::span<const double> right_2,
                            std::uint64_t rows);

/// Power steps of leading_singular_values: values that exceed those beyond the block twice over are then
/// right to 2^-18, squared again in the value itself.
inline constexpr int leading_power_steps = 4;

/// The `count` <= min(rows, cols) largest singular values, descending, by subspace iteration from a block of
/// normal numbers that depends on the seed alone, orthonormal after every product (Halko, Martinsson, Tropp,
/// SIAM Review 53, 2011, algorithm 4.4), in doubles. No value exceeds the true one but for rounding; those
/// well above the values beyond the block are exact, the last of a flat spectrum some per cent low. Nothing
/// when a product is not finite. Throws std::invalid_argument when count is too large, InvalidInput with rule
/// spectrum.invariant when dgesdd gives up.
std::optional<std::vector<double>> leading_singular_values(const LinearOperator& matrix, std::uint64_t count,
                                                           std::uint64_t seed);

/// The largest singular value from below, by Lanczos steps (largest_singular_value_bound): of a noise edge,
/// where values lie densely, to 1 % at 2,048 x 2,048. NaN when a product is not finite.
double largest_singular_value(const LinearOperator& matrix);

}  // namespace stemma
