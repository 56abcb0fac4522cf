// What do the original elements say that a correct Gram matrix and its singular values must agree with?
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "analyzers/numerics/exact_sum.hpp"
#include "analyzers/numerics/gram.hpp"

namespace stemma {

inline constexpr std::size_t probes = 2;
using Probes = std::array<std::vector<double>, probes>;

/// Vectors of +-1 with k elements: Philox keyed by shape and probe number. A wrong pair of off-diagonal
/// elements shows undiminished in two elements of G x; an element of a Gaussian vector could be small and
/// hide it.
Probes probe_vectors(const MatrixForm& form);

struct MatrixFacts {
  bool finite = true;
  double frobenius_sq = 0;
  double longest_row_or_column = 0;  ///< Euclidean norm: s1 is not smaller
  double norm_product = 0;           ///< sqrt(|A|_1 |A|_inf): s1 is not larger
  Probes images;                     ///< A^T (A x), or A (A^T x) of a wide matrix, for each probe x
};

/// Takes the rows in order and uses neither BLAS nor the panels of the Gram matrix, so that an error in
/// either cannot repeat itself here. Sums run in an order that depends on the shape only, in blocks of rows,
/// because many equal terms added one by one would err in the same direction.
class MatrixWitness {
 public:
  explicit MatrixWitness(const MatrixForm& form);
  void take(std::span<const std::byte> rows) { take_from(next_row_, rows); }
  /// The same of a witness that sees a part of the rows: they begin with row `first`.
  void take_from(std::uint64_t first, std::span<const std::byte> rows);
  /// Of a wide matrix, after all rows were taken: the same rows once more, beginning with row `first`.
  void take_again(std::uint64_t first, std::span<const std::byte> rows);

  /// Joins what several witnesses saw, each a part of the rows: `sum` and `largest` work element by element
  /// over all of them, and all call this at the same time, after the rows and (of a wide matrix) after the
  /// second pass.
  using Join = std::function<void(std::span<double>)>;
  void join(const Join& sum, const Join& largest);
  void join_again(const Join& sum);

  MatrixFacts finish();

 private:
  /// A few whole rows as doubles, until the next call.
  std::span<const double> widened(std::span<const std::byte> rows);
  void take_rows(std::span<const double> elements, std::uint64_t count);
  void fold();

  MatrixForm form_;
  Probes x_;
  std::uint64_t next_row_ = 0;
  std::uint64_t in_block_ = 0;             ///< rows since the last fold
  std::vector<double> values_;             ///< a few rows, widened
  Probes block_, sum_;                     ///< rows times coefficients: A^T (A x), or A^T x of a wide matrix
  std::vector<double> square_, absolute_;  ///< by column
  std::vector<double> square_block_, absolute_block_;
  ExactSum total_;  ///< of squares
  double row_square_ = 0, row_absolute_ = 0;
  MatrixFacts facts_;
};

}  // namespace stemma
