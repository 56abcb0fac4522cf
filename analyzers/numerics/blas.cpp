// How do we call BLAS: serially, with C++ types?
#include "analyzers/numerics/blas.hpp"

#include <dlfcn.h>

#include <array>
#include <limits>
#include <stdexcept>

#include "analyzers/numerics/fortran_size.hpp"

extern "C" {
void dgemm_(const char* ta, const char* tb, const int* m, const int* n, const int* k, const double* alpha,
            const double* a, const int* lda, const double* b, const int* ldb, const double* beta, double* c,
            const int* ldc);
void sgemm_(const char* ta, const char* tb, const int* m, const int* n, const int* k, const float* alpha,
            const float* a, const int* lda, const float* b, const int* ldb, const float* beta, float* c,
            const int* ldc);
void dsyrk_(const char* uplo, const char* trans, const int* n, const int* k, const double* alpha,
            const double* a, const int* lda, const double* beta, double* c, const int* ldc);
void dsymm_(const char* side, const char* uplo, const int* m, const int* n, const double* alpha,
            const double* a, const int* lda, const double* b, const int* ldb, const double* beta, double* c,
            const int* ldc);
void dgemv_(const char* trans, const int* m, const int* n, const double* alpha, const double* a,
            const int* lda, const double* x, const int* incx, const double* beta, double* y, const int* incy);
}

namespace stemma {

namespace {

/// Looked up at run time: another BLAS may stand in for OpenBLAS behind the same library name.
template <class Function>
Function found(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

void serialise_once() {
  static const int threads = serialise_blas();
  (void)threads;
}

}  // namespace

int serialise_blas() {
  const auto set = found<void (*)(int)>("openblas_set_num_threads");
  const auto count = found<int (*)()>("openblas_get_num_threads");
  if (set == nullptr || count == nullptr) return 0;
  set(1);
  return count();
}

BlasDescription describe_blas() {
  BlasDescription blas{.flavour = "unknown", .core = {}, .config = {}};
  if (const auto config = found<char* (*)()>("openblas_get_config")) {
    blas.flavour = "OpenBLAS";
    blas.config = config();
    if (const auto core = found<char* (*)()>("openblas_get_corename")) blas.core = core();
    if (const auto parallel = found<int (*)()>("openblas_get_parallel")) {
      const int kind = parallel();
      blas.threading = kind == 0   ? BlasThreading::none
                       : kind == 1 ? BlasThreading::its_own
                                   : BlasThreading::openmp;
    }
    blas.threads = serialise_blas();
  } else if (const auto version = found<const char* (*)()>("bli_info_get_version_str")) {
    blas.flavour = "BLIS";
    blas.config = version();
  } else if (const auto describe = found<void (*)(char*, int)>("MKL_Get_Version_String")) {
    std::array<char, 256> text{};
    describe(text.data(), static_cast<int>(text.size()) - 1);
    blas.flavour = "MKL";
    blas.config = text.data();
  }
  blas.config.erase(blas.config.find_last_not_of(' ') + 1);
  return blas;
}

namespace {

/// dgemm_ or sgemm_, by the type of their numbers.
template <class Number, class Gemm>
void gemm(Gemm call, Transpose ta, Transpose tb, std::uint64_t m, std::uint64_t n, std::uint64_t k,
          Number alpha, const Number* a, std::uint64_t lda, const Number* b, std::uint64_t ldb, Number beta,
          Number* c, std::uint64_t ldc) {
  serialise_once();
  const char op_a = static_cast<char>(ta);
  const char op_b = static_cast<char>(tb);
  const int im = fortran_size(m), in = fortran_size(n), ik = fortran_size(k), ia = fortran_size(lda),
            ib = fortran_size(ldb), ic = fortran_size(ldc);
  call(&op_a, &op_b, &im, &in, &ik, &alpha, a, &ia, b, &ib, &beta, c, &ic);
}

}  // namespace

void dgemm(Transpose ta, Transpose tb, std::uint64_t m, std::uint64_t n, std::uint64_t k, double alpha,
           const double* a, std::uint64_t lda, const double* b, std::uint64_t ldb, double beta, double* c,
           std::uint64_t ldc) {
  gemm(dgemm_, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void sgemm(Transpose ta, Transpose tb, std::uint64_t m, std::uint64_t n, std::uint64_t k, float alpha,
           const float* a, std::uint64_t lda, const float* b, std::uint64_t ldb, float beta, float* c,
           std::uint64_t ldc) {
  gemm(sgemm_, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void dsyrk(Transpose ta, std::uint64_t n, std::uint64_t k, double alpha, const double* a, std::uint64_t lda,
           double beta, double* c, std::uint64_t ldc) {
  serialise_once();
  const char lower = 'L';
  const char op = static_cast<char>(ta);
  const int in = fortran_size(n), ik = fortran_size(k), ia = fortran_size(lda), ic = fortran_size(ldc);
  dsyrk_(&lower, &op, &in, &ik, &alpha, a, &ia, &beta, c, &ic);
}

void dgemv(Transpose ta, std::uint64_t m, std::uint64_t n, double alpha, const double* a, std::uint64_t lda,
           const double* x, double beta, double* y) {
  serialise_once();
  const char op = static_cast<char>(ta);
  const int im = fortran_size(m), in = fortran_size(n), ia = fortran_size(lda), one = 1;
  dgemv_(&op, &im, &in, &alpha, a, &ia, x, &one, &beta, y, &one);
}

void dsymm(std::uint64_t m, std::uint64_t n, double alpha, const double* a, std::uint64_t lda,
           const double* b, std::uint64_t ldb, double beta, double* c, std::uint64_t ldc) {
  serialise_once();
  const char left = 'L', lower = 'L';
  const int im = fortran_size(m), in = fortran_size(n), ia = fortran_size(lda), ib = fortran_size(ldb),
            ic = fortran_size(ldc);
  dsymm_(&left, &lower, &im, &in, &alpha, a, &ia, b, &ib, &beta, c, &ic);
}

}  // namespace stemma
