// Which stored code is nearest to a number?
#pragma once
#include <cstddef>
#include <span>

#include "io/model/dtype.hpp"

namespace stemma {

/// Rounds to nearest, ties to even, once: out holds values.size() elements of bf16, f16, f32 or f64,
/// little-endian. What is too large becomes infinite, as IEEE 754 has it. Throws std::invalid_argument for
/// other types and where sizes do not fit.
void narrow(Dtype dtype, std::span<const double> values, std::span<std::byte> out);

}  // namespace stemma
