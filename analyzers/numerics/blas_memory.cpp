// A mapping of the same kind is tried and given back before BLAS maps its own.
#include "analyzers/numerics/blas_memory.hpp"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>

#include "analyzers/numerics/blas.hpp"

namespace stemma {

bool reserve_blas_memory() {
  void* probe = mmap(nullptr, blas_memory, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (probe == MAP_FAILED) {
    static const int leave_quickly = on_exit(
        [](int status, void*) {
          std::fflush(nullptr);
          std::_Exit(status);
        },
        nullptr);
    (void)leave_quickly;
    return false;
  }
  munmap(probe, blas_memory);
  const double one = 1;
  double square = 0;
  dsyrk(Transpose::no, 1, 1, 1, &one, 1, 0, &square, 1);
  return square == 1;
}

}  // namespace stemma
