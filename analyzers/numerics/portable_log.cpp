// What is the logarithm of x, with the same bits on every machine?
#include "analyzers/numerics/portable_log.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace stemma {

namespace {

/// x with the lower half of its mantissa cleared.
double upper_half(double x) {
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) & 0xFFFFFFFF00000000U);
}

}  // namespace

double portable_log2(double x) {
  if (std::isnan(x) || x < 0) return std::numeric_limits<double>::quiet_NaN();
  if (x == 0) return -std::numeric_limits<double>::infinity();
  if (std::isinf(x)) return x;
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < 0.70710678118654752440) {
    m *= 2;
    --exponent;
  }
  // ln m = 2 atanh(s), s = f/(2 + f), |s| < 0.172: the term of order 25 is below 2^-60. Written as
  // f - f^2/2 + s (f^2/2 + series), so that the large terms come from f, which is exact.
  const double f = m - 1;
  const double s = f / (2 + f);
  const double s2 = s * s;
  double series = 0;
  for (int order = 25; order >= 3; order -= 2) series = series * s2 + 2.0 / order;
  series *= s2;
  const double half_square = 0.5 * f * f;
  // 1/ln 2 and the leading part of ln m have 21 bits each: their product is exact.
  constexpr double high = 0x1.7154700000000p+0;
  constexpr double low = 0x1.94ae0bf85ddf4p-22;
  const double lead = upper_half(f - half_square);
  const double rest = (f - lead) - half_square + s * (half_square + series);
  const double small = (lead + rest) * low + rest * high;
  const double whole = exponent;
  const double sum = whole + lead * high;
  return sum + (lead * high - (sum - whole) + small);
}

double portable_log(double x) { return portable_log2(x) * 0.69314718055994530942; }

}  // namespace stemma
