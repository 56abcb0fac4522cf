// BLAS and LAPACK count in 32-bit integers.
#pragma once
#include <cstdint>
#include <limits>
#include <stdexcept>

namespace stemma {

/// A dimension as they take it. Throws std::overflow_error beyond 2^31 - 1.
inline int fortran_size(std::uint64_t size) {
  if (size > static_cast<std::uint64_t>(std::numeric_limits<int>::max()))
    throw std::overflow_error("matrix dimension exceeds the 32-bit integers of BLAS and LAPACK");
  return static_cast<int>(size);
}

}  // namespace stemma
