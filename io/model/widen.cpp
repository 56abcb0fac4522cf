// Exact widening: vectors for floating-point codes, one conversion at a time for the rest.
#include "io/model/widen.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "io/model/small_float.hpp"
#include "io/model/widen_simd.hpp"

namespace stemma {
namespace {

static_assert(std::endian::native == std::endian::little, "stored tensors are little-endian");

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

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

double power_of_two(std::uint8_t code) { return code == 255 ? nan : std::ldexp(1.0, code - 127); }

}  // namespace

double value_of_code(Dtype dtype, std::uint16_t code) {
  if (dtype == Dtype::bf16) return bf16_value(code);
  if (dtype == Dtype::f16) return decode(f16_format, code);
  throw std::invalid_argument(fmt::format("{} has no table of 65,536 values", name_of(dtype)));
}

void widen(Dtype dtype, std::span<const std::byte> bytes, std::span<double> out) {
  if (bytes.size() != out.size() * bits_of(dtype) / 8) {
    throw std::invalid_argument(
        fmt::format("{} elements of {} do not fill {} bytes", out.size(), name_of(dtype), bytes.size()));
  }
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
      return widen_small(f16_format, bytes, out);
    case Dtype::bf16:
      return widen_bf16(bytes, out);
    case Dtype::f32:
      return widen_f32(bytes, out);
    case Dtype::f64:
      return convert<double>(bytes, out);
    case Dtype::f8_e4m3:
      return widen_small(e4m3_format, bytes, out);
    case Dtype::f8_e5m2:
      return widen_small(e5m2_format, bytes, out);
    case Dtype::f8_e4m3fnuz:
      return widen_small(e4m3fnuz_format, bytes, out);
    case Dtype::f8_e5m2fnuz:
      return widen_small(e5m2fnuz_format, bytes, out);
    case Dtype::f8_e8m0:
      return each<std::uint8_t>(bytes, out, power_of_two);
    case Dtype::c64:
    case Dtype::f4:
    case Dtype::f6_e2m3:
    case Dtype::f6_e3m2:
      break;
  }
  throw std::invalid_argument(fmt::format("{} has no real value per element", name_of(dtype)));
}

}  // namespace stemma
