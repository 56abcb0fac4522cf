// What does a code of a small floating-point format mean?
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>

namespace stemma {

/// A binary floating-point format of at most 16 bits: sign, exponent, mantissa. What its extreme codes mean
/// differs.
struct SmallFloat {
  int exponent_bits;
  int mantissa_bits;
  int bias;
  enum class Extremes : std::uint8_t { ieee, only_nan, negative_zero_is_nan } extremes;
};
inline constexpr SmallFloat f16_format{5, 10, 15, SmallFloat::Extremes::ieee};
inline constexpr SmallFloat e5m2_format{5, 2, 15, SmallFloat::Extremes::ieee};
inline constexpr SmallFloat e4m3_format{4, 3, 7, SmallFloat::Extremes::only_nan};
inline constexpr SmallFloat e4m3fnuz_format{4, 3, 8, SmallFloat::Extremes::negative_zero_is_nan};
inline constexpr SmallFloat e5m2fnuz_format{5, 2, 16, SmallFloat::Extremes::negative_zero_is_nan};

/// By the book. A NaN keeps the sign of its code and nothing else.
inline double decode(const SmallFloat& format, unsigned code) {
  using Extremes = SmallFloat::Extremes;
  const unsigned mantissas = 1U << format.mantissa_bits;
  const unsigned exponents = 1U << format.exponent_bits;
  const unsigned mantissa = code % mantissas;
  const unsigned exponent = code / mantissas % exponents;
  const bool negative = code / mantissas / exponents != 0;
  const bool last_exponent = exponent == exponents - 1;

  const bool is_nan =
      format.extremes == Extremes::only_nan
          ? last_exponent && mantissa == mantissas - 1
          : format.extremes == Extremes::negative_zero_is_nan && negative && exponent == 0 && mantissa == 0;
  double magnitude = 0;
  if (format.extremes == Extremes::ieee && last_exponent) {
    magnitude =
        mantissa == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  } else if (is_nan) {
    magnitude = std::numeric_limits<double>::quiet_NaN();
  } else {
    const unsigned significand = exponent == 0 ? mantissa : mantissas + mantissa;
    const int power = static_cast<int>(exponent == 0 ? 1 : exponent) - format.bias - format.mantissa_bits;
    magnitude = std::ldexp(significand, power);
  }
  return negative ? -magnitude : magnitude;
}

}  // namespace stemma
