// What are the sums that moments are made of, over a few doubles, many at once?
#pragma once
#include <span>

namespace stemma {

/// Eight partial sums each (element i goes to sum i mod 8, in order), added in order: part of the definition,
/// not of the hardware, so every instruction set gives the same bits.
struct RawSums {
  double values = 0, squares = 0, magnitudes = 0;
  bool operator==(const RawSums&) const = default;
};
RawSums raw_sums(std::span<const double> values);

/// Sums of powers of d = x - mean; d^3 as (d d) d, d^4 as (d d)(d d).
struct PowerSums {
  double first = 0, second = 0, third = 0, fourth = 0;
  bool operator==(const PowerSums&) const = default;
};
PowerSums power_sums(std::span<const double> values, double mean);

bool all_finite(std::span<const double> values);

/// The root of the sum of squares, from first to last.
double norm_of(std::span<const double> values);

}  // namespace stemma
