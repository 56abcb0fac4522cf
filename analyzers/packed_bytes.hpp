// How do many small numbers travel as features?
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace stemma {

/// The largest byte that stands for a number.
inline constexpr double largest_byte = 127;

/// Numbers in units of the largest |number| over 127, rounded to the nearest; zeros where all are 0.
std::vector<std::int8_t> as_bytes_of_largest(std::span<const double> numbers);

/// Bytes packed eight to a number, the first the lowest, and back.
std::vector<std::uint64_t> packed(std::span<const std::int8_t> bytes);
std::vector<std::int8_t> unpacked(std::span<const std::uint64_t> numbers, std::size_t count);

}  // namespace stemma
