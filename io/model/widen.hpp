// What number does a stored code mean?
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "io/model/dtype.hpp"

namespace stemma {

/// Exact widening of `out.size()` consecutive elements to double. `bytes` holds exactly that many elements.
/// Throws std::invalid_argument for packed (4 and 6 bit) and complex types. Integers beyond 2^53 round to
/// nearest.
void widen(Dtype dtype, std::span<const std::byte> bytes, std::span<double> out);

/// Value of one 16-bit code, for tables over all 65,536 codes. dtype must be f16 or bf16.
double value_of_code(Dtype dtype, std::uint16_t code);

}  // namespace stemma
