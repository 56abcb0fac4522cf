// How do floating-point codes become doubles, many at once?
#pragma once
#include <cstddef>
#include <span>

#include "io/model/small_float.hpp"

namespace stemma {

/// Every function fills `out` from as many elements at `bytes`, with the bits that one conversion at a time
/// gives.
void widen_bf16(std::span<const std::byte> bytes, std::span<double> out);
void widen_f32(std::span<const std::byte> bytes, std::span<double> out);
/// `format` has 16 or 8 bits.
void widen_small(const SmallFloat& format, std::span<const std::byte> bytes, std::span<double> out);

}  // namespace stemma
