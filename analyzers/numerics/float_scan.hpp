// Which kinds of numbers are among a few floats, and how far do they reach?
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace stemma {

/// Counts of every kind, and the ends of the finite values as bit patterns that sort like the values
/// (`ordered`).
struct FloatScan {
  std::uint64_t zero = 0, negative_zero = 0;  ///< zeros of both signs; those of them with a minus
  std::uint64_t infinite = 0, negative_infinite = 0;
  std::uint64_t nan = 0;
  std::uint64_t ordinary = 0, negative = 0;  ///< finite and not zero; those of them below zero
  std::uint64_t subnormal = 0;
  std::int32_t least = std::numeric_limits<std::int32_t>::max();  ///< ordered; as is when nothing is finite
  std::int32_t greatest =
      std::numeric_limits<std::int32_t>::min();  ///< ordered; as is when nothing is finite
  std::int32_t smallest = std::numeric_limits<std::int32_t>::max();  ///< least magnitude of the ordinary ones

  bool operator==(const FloatScan&) const = default;
};

/// Between the bits of a float, as a signed integer, and an integer that sorts as the float does, -0 before
/// +0. Its own inverse.
constexpr std::int32_t ordered(std::int32_t bits) { return bits < 0 ? bits ^ 0x7FFFFFFF : bits; }

/// Looks at whole floats, at most 2^30 of them.
FloatScan scan_floats(std::span<const std::byte> bytes);
/// The same, one by one: what the vectors of scan_floats must agree with.
FloatScan scan_floats_one_by_one(std::span<const std::byte> bytes);

/// Both parts together.
FloatScan joined(const FloatScan& a, const FloatScan& b);

}  // namespace stemma
