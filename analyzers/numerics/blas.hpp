// How do we call BLAS: serially, with C++ types?
#pragma once
#include <cstdint>
#include <string>

namespace stemma {

/// Tells OpenBLAS to use one thread, through its own call, and reads the number back (parallelism is MPI's).
/// 0 when the BLAS at hand is not OpenBLAS and takes no such order. Every wrapper below does this once.
int serialise_blas();

/// Whose threads would a BLAS use?
enum class BlasThreading : std::uint8_t { unknown, none, its_own, openmp };

/// Which BLAS this process got from its linker, as it speaks of itself; "" for what it does not say.
struct BlasDescription {
  std::string flavour;  ///< "OpenBLAS", "BLIS", "MKL", "unknown"
  std::string core;     ///< kernel that it chose for this processor: "Zen", "SkylakeX"
  std::string config;   ///< version and build
  BlasThreading threading = BlasThreading::unknown;
  int threads = 0;  ///< after it was told to use one; 0 when it cannot be asked

  /// Version and build, or at least which library it is.
  const std::string& build() const { return config.empty() ? flavour : config; }
};
BlasDescription describe_blas();

enum class Transpose : char { no = 'N', yes = 'T' };

/// C (m x n) = alpha op(A) op(B) + beta C, all column-major with leading dimensions lda, ldb, ldc; op(A) is
/// m x k. Throws std::overflow_error when a dimension does not fit BLAS's 32-bit integers (so do all).
void dgemm(Transpose ta, Transpose tb, std::uint64_t m, std::uint64_t n, std::uint64_t k, double alpha,
           const double* a, std::uint64_t lda, const double* b, std::uint64_t ldb, double beta, double* c,
           std::uint64_t ldc);

/// The same in single precision.
void sgemm(Transpose ta, Transpose tb, std::uint64_t m, std::uint64_t n, std::uint64_t k, float alpha,
           const float* a, std::uint64_t lda, const float* b, std::uint64_t ldb, float beta, float* c,
           std::uint64_t ldc);

/// Lower triangle of C (n x n) = alpha op(A) op(A)^T + beta C, column-major; op(A) is n x k.
void dsyrk(Transpose ta, std::uint64_t n, std::uint64_t k, double alpha, const double* a, std::uint64_t lda,
           double beta, double* c, std::uint64_t ldc);

/// y = alpha op(A) x + beta y, A is m x n column-major, x and y contiguous.
void dgemv(Transpose ta, std::uint64_t m, std::uint64_t n, double alpha, const double* a, std::uint64_t lda,
           const double* x, double beta, double* y);

/// C (m x n) = alpha A B + beta C for a symmetric A (m x m) of which the lower triangle is read; all
/// column-major.
void dsymm(std::uint64_t m, std::uint64_t n, double alpha, const double* a, std::uint64_t lda,
           const double* b, std::uint64_t ldb, double beta, double* c, std::uint64_t ldc);

}  // namespace stemma
