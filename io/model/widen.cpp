// Exact widening: table look-up for 8-bit codes and F16, a shift for BF16, a conversion for the rest.
#include "io/model/widen.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <vector>

namespace stemma {
namespace {

static_assert(std::endian::native == std::endian::little, "stored tensors are little-endian");

/// A small binary floating-point format: sign, exponent, mantissa. What its extreme codes mean differs.
struct SmallFloat {
  int exponent_bits;
  int mantissa_bits;
  int bias;
  enum class Extremes : std::uint8_t { ieee, only_nan, negative_zero_is_nan } extremes;
};
constexpr SmallFloat f16{5, 10, 15, SmallFloat::Extremes::ieee};
constexpr SmallFloat e5m2{5, 2, 15, SmallFloat::Extremes::ieee};
constexpr SmallFloat e4m3{4, 3, 7, SmallFloat::Extremes::only_nan};
constexpr SmallFloat e4m3fnuz{4, 3, 8, SmallFloat::Extremes::negative_zero_is_nan};
constexpr SmallFloat e5m2fnuz{5, 2, 16, SmallFloat::Extremes::negative_zero_is_nan};

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

double decode(const SmallFloat& format, unsigned code) {
  using Extremes = SmallFloat::Extremes;
  const unsigned mantissas = 1U << format.mantissa_bits, exponents = 1U << format.exponent_bits;
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
    magnitude = mantissa == 0 ? std::numeric_limits<double>::infinity() : nan;
  } else if (is_nan) {
    magnitude = nan;
  } else {
    const unsigned significand = exponent == 0 ? mantissa : mantissas + mantissa;
    const int power = static_cast<int>(exponent == 0 ? 1 : exponent) - format.bias - format.mantissa_bits;
    magnitude = std::ldexp(significand, power);
  }
  return negative ? -magnitude : magnitude;
}

std::array<double, 256> byte_table(const SmallFloat& format) {
  std::array<double, 256> table{};
  for (unsigned code = 0; code < table.size(); ++code) table[code] = decode(format, code);
  return table;
}

std::array<double, 256> power_table() {
  std::array<double, 256> table{};
  for (int code = 0; code < 255; ++code) table[static_cast<std::size_t>(code)] = std::ldexp(1.0, code - 127);
  table[255] = nan;
  return table;
}

/// float holds every F16 value exactly and keeps the table within a core's own cache.
const std::vector<float>& f16_table() {
  static const std::vector<float> table = [] {
    std::vector<float> values(65536);
    for (unsigned code = 0; code < values.size(); ++code)
      values[code] = static_cast<float>(decode(f16, code));
    return values;
  }();
  return table;
}

double bf16_value(std::uint16_t code) { return std::bit_cast<float>(std::uint32_t{code} << 16); }

template <class Stored, class Meaning>
void each(std::span<const std::byte> bytes, std::span<double> out, const Meaning& meaning) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof stored, sizeof stored);
    out[i] = meaning(stored);
  }
}

template <class Stored>
void convert(std::span<const std::byte> bytes, std::span<double> out) {
  each<Stored>(bytes, out, [](Stored stored) { return static_cast<double>(stored); });
}

void look_up(const std::array<double, 256>& table, std::span<const std::byte> bytes, std::span<double> out) {
  each<std::uint8_t>(bytes, out, [&](std::uint8_t code) { return table[code]; });
}

}  // namespace

double value_of_code(Dtype dtype, std::uint16_t code) {
  if (dtype == Dtype::bf16) return bf16_value(code);
  if (dtype == Dtype::f16) return f16_table()[code];
  throw std::invalid_argument(fmt::format("{} has no table of 65,536 values", name_of(dtype)));
}

void widen(Dtype dtype, std::span<const std::byte> bytes, std::span<double> out) {
  if (bytes.size() != out.size() * bits_of(dtype) / 8) {
    throw std::invalid_argument(
        fmt::format("{} elements of {} do not fill {} bytes", out.size(), name_of(dtype), bytes.size()));
  }
  static const auto e4m3_values = byte_table(e4m3), e5m2_values = byte_table(e5m2),
                    e4m3fnuz_values = byte_table(e4m3fnuz), e5m2fnuz_values = byte_table(e5m2fnuz),
                    e8m0_values = power_table();
  switch (dtype) {
    case Dtype::boolean:
      return each<std::uint8_t>(bytes, out, [](std::uint8_t stored) { return stored == 0 ? 0.0 : 1.0; });
    case Dtype::u8:
      return convert<std::uint8_t>(bytes, out);
    case Dtype::i8:
      return convert<std::int8_t>(bytes, out);
    case Dtype::u16:
      return convert<std::uint16_t>(bytes, out);
    case Dtype::i16:
      return convert<std::int16_t>(bytes, out);
    case Dtype::u32:
      return convert<std::uint32_t>(bytes, out);
    case Dtype::i32:
      return convert<std::int32_t>(bytes, out);
    case Dtype::u64:
      return convert<std::uint64_t>(bytes, out);
    case Dtype::i64:
      return convert<std::int64_t>(bytes, out);
    case Dtype::f16:
      return each<std::uint16_t>(bytes, out,
                                 [table = f16_table().data()](std::uint16_t code) { return table[code]; });
    case Dtype::bf16:
      return each<std::uint16_t>(bytes, out, bf16_value);
    case Dtype::f32:
      return convert<float>(bytes, out);
    case Dtype::f64:
      return convert<double>(bytes, out);
    case Dtype::f8_e4m3:
      return look_up(e4m3_values, bytes, out);
    case Dtype::f8_e5m2:
      return look_up(e5m2_values, bytes, out);
    case Dtype::f8_e4m3fnuz:
      return look_up(e4m3fnuz_values, bytes, out);
    case Dtype::f8_e5m2fnuz:
      return look_up(e5m2fnuz_values, bytes, out);
    case Dtype::f8_e8m0:
      return look_up(e8m0_values, bytes, out);
    case Dtype::c64:
    case Dtype::f4:
    case Dtype::f6_e2m3:
    case Dtype::f6_e3m2:
      break;
  }
  throw std::invalid_argument(fmt::format("{} has no real value per element", name_of(dtype)));
}

}  // namespace stemma
