// Which number formats do stored tensors use?
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace stemma {

/// Element type of a stored tensor. The numeric values are written to archives: append only.
enum class Dtype : std::uint8_t {
  boolean,
  u8,
  i8,
  u16,
  i16,
  u32,
  i32,
  u64,
  i64,
  f16,
  bf16,
  f32,
  f64,
  c64,
  f8_e4m3,
  f8_e5m2,
  f8_e4m3fnuz,
  f8_e5m2fnuz,
  f8_e8m0,
  f4,
  f6_e2m3,
  f6_e3m2,
};
inline constexpr std::uint8_t dtype_count = 22;

/// Spelling used by safetensors headers, e.g. "BF16"; also the spelling Stemma prints.
std::string_view name_of(Dtype dtype);
std::optional<Dtype> dtype_named(std::string_view name);

/// Bits of one element; 4 and 6 for the packed formats.
unsigned bits_of(Dtype dtype);

/// True for formats that can hold weights: 8 bits or more, real, floating point.
bool is_real(Dtype dtype);

/// True for f16, bf16, f32 and f64: numbers that mean what they say, with a rounding step of their own.
bool is_plain_float(Dtype dtype);

}  // namespace stemma
