// Sixteen-bit codes are rounded from doubles directly: through a float they would be rounded twice.
#include "io/model/narrow.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace stemma {
namespace {

struct Format {
  int exponent_bits, fraction_bits;
  int bias() const { return (1 << (exponent_bits - 1)) - 1; }
};

std::uint16_t nearest_code(const Format& format, double value) {
  const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000U : 0U);
  const int infinity = ((1 << format.exponent_bits) - 1) << format.fraction_bits;
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | infinity | 1 << (format.fraction_bits - 1));
  if (value == 0) return sign;
  const double size = std::abs(value);
  if (std::isinf(size)) return static_cast<std::uint16_t>(sign | infinity);
  const int least = 1 - format.bias();  // exponent of the smallest normal number
  const int exponent = std::max(std::ilogb(size), least);
  // In units of the last place: exact, so only nearbyint rounds. A carry runs into the exponent by itself.
  const auto units = static_cast<int>(std::nearbyint(std::ldexp(size, format.fraction_bits - exponent)));
  const int code = units + ((exponent - least) << format.fraction_bits);
  return static_cast<std::uint16_t>(sign | std::min(code, infinity));
}

template <class Element>
void copy_as(std::span<const double> values, std::span<std::byte> out) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto element = static_cast<Element>(values[i]);
    std::memcpy(out.data() + i * sizeof element, &element, sizeof element);
  }
}

void copy_codes(const Format& format, std::span<const double> values, std::span<std::byte> out) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t code = nearest_code(format, values[i]);
    std::memcpy(out.data() + 2 * i, &code, 2);
  }
}

}  // namespace

void narrow(Dtype dtype, std::span<const double> values, std::span<std::byte> out) {
  if (out.size() != values.size() * bits_of(dtype) / 8)
    throw std::invalid_argument("the bytes of narrowed elements do not fit");
  switch (dtype) {
    case Dtype::bf16:
      return copy_codes({8, 7}, values, out);
    case Dtype::f16:
      return copy_codes({5, 10}, values, out);
    case Dtype::f32:
      return copy_as<float>(values, out);
    case Dtype::f64:
      return copy_as<double>(values, out);
    default:
      throw std::invalid_argument("only bf16, f16, f32 and f64 can be narrowed to");
  }
}

}  // namespace stemma
