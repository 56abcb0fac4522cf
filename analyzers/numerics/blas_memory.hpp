// Is there memory enough for BLAS to work at all?
#pragma once
#include <cstdint>

namespace stemma {

/// Address space that must be free when BLAS takes its first buffer: OpenBLAS's 128 MiB, and as much beside
/// it as small allocations of a working program may need.
inline constexpr std::uint64_t blas_memory = std::uint64_t{192} << 20;

/// Lets BLAS take the buffer that it keeps for the life of the process; false, without touching BLAS, when
/// the machine does not give that much. OpenBLAS asks again for ever, so nobody may call it after a refusal,
/// and after a refusal the process ends without the end of OpenBLAS, whose threads may be asking.
bool reserve_blas_memory();

}  // namespace stemma
