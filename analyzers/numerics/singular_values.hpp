// What are all singular values of a matrix, how far can they be off, and which checks say so?
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "analyzers/numerics/gram.hpp"
#include "analyzers/numerics/matrix_witness.hpp"
#include "analyzers/numerics/spectrum_result.hpp"

namespace stemma {

struct Eigenvalues {
  std::vector<double> ascending;  ///< empty: did not converge
  /// Orthonormal eigenvectors (k x count, column-major) of neighbouring eigenvalues; absent where they cost
  /// much.
  std::function<std::vector<double>(std::span<const double> some)> vectors;
};

/// Who turns a Gram matrix (lower triangle, k x k column-major, overwritten) into eigenvalues, and who takes
/// singular values of a dense column-major matrix (empty: did not converge). A team of ranks, or a test that
/// plants an error, stands here instead of LAPACK.
struct SpectrumSolvers {
  std::function<Eigenvalues(std::span<double> lower, std::uint64_t k)> eigenvalues;
  std::function<std::vector<double>(std::span<double> matrix, std::uint64_t rows, std::uint64_t cols)> dense;
  static SpectrumSolvers lapack();
};

/// The solver for Gram matrices of that size on one rank.
SpectrumMethod method_for(std::uint64_t k);

/// Whether a matrix may be decomposed a second time on this rank: k <= 2048 and 256 MiB of doubles.
bool repeatable(const MatrixForm& form);

/// Values below this part of the largest one lose more than three digits to squaring; of so few of them at
/// most are taken from the matrix itself.
inline constexpr double small_value = 1.0 / 1024;
inline constexpr std::uint64_t most_polished = 32;

/// How many of a spectrum's values want that: 0 when there are none or too many, or when some lie below tau
/// and have no directions of their own.
std::uint64_t values_to_polish(const Spectrum& spectrum);
/// Puts better values (descending) in the place of the smallest ones, if none of them moves by more than its
/// estimated error.
void replace_smallest(Spectrum& spectrum, std::span<const double> better);

/// Bytes of memory that one matrix needs at its peak.
std::uint64_t singular_values_memory(const MatrixForm& form);

/// What is done beside the Gram path.
struct SpectrumRequest {
  bool crosscheck = false;  ///< compare with dgesdd, value by value
  bool refine = false;      ///< when values lie below tau, keep those of dgesdd, which is backward stable
};

/// Singular values as square roots of the eigenvalues of the Gram matrix of the shorter side, summed in
/// double precision while the rows go by. Tall and square matrices of up to 32 bits are streamed; wide ones,
/// 64-bit ones and those that can be repeated are held in their stored type. Of held ones the few values
/// below s1/1024 are taken from the matrix itself, in the directions of their eigenvectors (ritz_values),
/// which spares them the loss of digits to squaring; none moves by more than its estimated error.
class SingularValues {
 public:
  explicit SingularValues(const MatrixForm& form, SpectrumSolvers solvers = SpectrumSolvers::lapack());

  /// The next whole rows, as stored.
  void take(std::span<const std::byte> rows);

  /// All rows were taken. Nothing when an element is not finite. When an invariant is violated or the solver
  /// gives up, dgesdd is asked once where the matrix is repeatable. Throws InvalidInput with rule
  /// spectrum.invariant when no answer stands its checks, the sentence naming both numbers;
  /// spectrum.disagreement when two answers stand them and differ by more than their bounds.
  std::optional<Spectrum> finish(const SpectrumRequest& request = {});

 private:
  MatrixFacts witnessed();
  Spectrum by_gram(const MatrixFacts& facts, std::optional<Violation>& violation);
  void polish(Spectrum& spectrum, const Eigenvalues& eigenvalues) const;
  Spectrum by_dense(const MatrixFacts& facts, std::optional<Violation>& violation);

  MatrixForm form_;
  SpectrumSolvers solvers_;
  bool held_;      ///< all bytes are kept
  bool streamed_;  ///< Gram matrix and witness are made while the rows go by
  std::vector<std::byte> bytes_;
  std::optional<TallGram> gram_;
  std::optional<MatrixWitness> witness_;
};

}  // namespace stemma
