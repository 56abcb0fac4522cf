/* What does a run do on a machine whose BLAS multiplies wrongly? Preloaded, this one does so on the rank that
   STEMMA_WRONG_RANK names (a process without a launcher is rank 0). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>

typedef void (*Syrk)(const char*, const char*, const int*, const int*, const double*, const double*, const int*,
                     const double*, double*, const int*);

void dsyrk_(const char* uplo, const char* trans, const int* n, const int* k, const double* alpha, const double* a,
            const int* lda, const double* beta, double* c, const int* ldc) {
  ((Syrk)dlsym(RTLD_NEXT, "dsyrk_"))(uplo, trans, n, k, alpha, a, lda, beta, c, ldc);
  const char* rank = getenv("OMPI_COMM_WORLD_RANK");
  const char* wrong = getenv("STEMMA_WRONG_RANK");
  if (wrong && atoi(wrong) == (rank ? atoi(rank) : 0) && *n > 1) c[1] += 1;
}
