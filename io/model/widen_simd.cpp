// How do floating-point codes become doubles, many at once? Compiled for every instruction set, chosen when
// it runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "io/model/widen_simd.cpp"
#include <hwy/foreach_target.h>
// What follows is read once for every instruction set.
#include <hwy/highway.h>

#include <cstring>

#include "io/model/widen_simd.hpp"

HWY_BEFORE_NAMESPACE();
namespace stemma::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::ScalableTag<double>;
using Floats = hn::Rebind<float, Doubles>;
using Words = hn::Rebind<std::int32_t, Doubles>;

/// Widens all elements; value(words) makes floats of codes. A last vector that is not whole goes through a
/// copy.
template <class Code, class Value>
HWY_INLINE void widen_codes(std::span<const std::byte> bytes, std::span<double> out, const Value& value) {
  const Doubles doubles;
  const hn::Rebind<Code, Doubles> codes;
  const Words words;
  const std::size_t lanes = hn::Lanes(doubles);
  const Code* in = reinterpret_cast<const Code*>(bytes.data());  // read with loads that need no alignment
  const auto vector = [&](const Code* from, double* to) HWY_ATTR {
    const auto code = hn::LoadU(codes, from);
    if constexpr (sizeof(Code) == 4) {
      hn::StoreU(hn::PromoteTo(doubles, value(code)), doubles, to);
    } else {
      hn::StoreU(hn::PromoteTo(doubles, value(hn::PromoteTo(words, code))), doubles, to);
    }
  };
  std::size_t i = 0;
  for (; i + lanes <= out.size(); i += lanes) vector(in + i, out.data() + i);
  if (i == out.size()) return;
  HWY_ALIGN Code last[hn::MaxLanes(doubles)] = {};
  HWY_ALIGN double values[hn::MaxLanes(doubles)];
  std::memcpy(last, bytes.data() + i * sizeof(Code), (out.size() - i) * sizeof(Code));
  vector(last, values);
  std::memcpy(out.data() + i, values, (out.size() - i) * sizeof(double));
}

void widen_bf16(std::span<const std::byte> bytes, std::span<double> out) {
  const Floats floats;
  widen_codes<std::uint16_t>(
      bytes, out, [&](auto code) HWY_ATTR { return hn::BitCast(floats, hn::ShiftLeft<16>(code)); });
}

void widen_f32(std::span<const std::byte> bytes, std::span<double> out) {
  const Floats floats;
  widen_codes<std::uint32_t>(bytes, out, [&](auto code) HWY_ATTR { return hn::BitCast(floats, code); });
}

/// Codes of fewer bits lie in float as they are, but for the offset of the exponent. Subnormal ones get the
/// exponent of the smallest normal number, whose implicit bit is subtracted again; so no step meets a
/// subnormal float, which some processors handle slowly or not at all.
template <class Code>
HWY_INLINE void widen_format(const SmallFloat& format, std::span<const std::byte> bytes,
                             std::span<double> out) {
  using Extremes = SmallFloat::Extremes;
  const Floats floats;
  const Words words;
  const auto word = [&](unsigned value) HWY_ATTR { return hn::Set(words, static_cast<std::int32_t>(value)); };
  const int shift = 23 - format.mantissa_bits;
  const unsigned magnitudes = 1U << (format.exponent_bits + format.mantissa_bits);
  const auto offset = word(static_cast<unsigned>(127 - format.bias) << 23U);
  const auto least_normal = word(1U << format.mantissa_bits);
  const auto least_exponent = word(static_cast<unsigned>(128 - format.bias) << 23U);
  // `infinity` is infinite, magnitudes above `last_number` are NaN; formats without them never get there.
  const unsigned infinite = magnitudes - (1U << format.mantissa_bits);
  const auto infinity = word(format.extremes == Extremes::ieee ? infinite : magnitudes);
  const auto last_number = word(format.extremes == Extremes::ieee       ? infinite
                                : format.extremes == Extremes::only_nan ? magnitudes - 2
                                                                        : magnitudes);
  // The code of the only NaN among the zeros; elsewhere a code that does not exist.
  const auto nan_code = word(format.extremes == Extremes::negative_zero_is_nan ? magnitudes : 2 * magnitudes);
  widen_codes<Code>(bytes, out, [&](auto code) HWY_ATTR {
    const auto magnitude = hn::And(code, word(magnitudes - 1));
    const auto sign = hn::ShiftLeftSame(hn::AndNot(word(magnitudes - 1), code),
                                        31 - format.exponent_bits - format.mantissa_bits);
    const auto placed = hn::ShiftLeftSame(magnitude, shift);
    const auto subnormal =
        hn::Sub(hn::BitCast(floats, hn::Add(placed, least_exponent)), hn::BitCast(floats, least_exponent));
    auto value = hn::IfThenElse(hn::Lt(magnitude, least_normal), hn::BitCast(words, subnormal),
                                hn::Add(placed, offset));
    value = hn::IfThenElse(hn::Eq(magnitude, infinity), word(0x7F800000U), value);
    value = hn::IfThenElse(hn::Or(hn::Gt(magnitude, last_number), hn::Eq(code, nan_code)), word(0x7FC00000U),
                           value);
    return hn::BitCast(floats, hn::Or(value, sign));
  });
}

void widen_small(const SmallFloat& format, std::span<const std::byte> bytes, std::span<double> out) {
  if (format.exponent_bits + format.mantissa_bits == 15) {
    widen_format<std::uint16_t>(format, bytes, out);
  } else {
    widen_format<std::uint8_t>(format, bytes, out);
  }
}

}  // namespace
}  // namespace stemma::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stemma {
namespace {
HWY_EXPORT(widen_bf16);
HWY_EXPORT(widen_f32);
HWY_EXPORT(widen_small);
}  // namespace

void widen_bf16(std::span<const std::byte> bytes, std::span<double> out) {
  HWY_DYNAMIC_DISPATCH(widen_bf16)(bytes, out);
}
void widen_f32(std::span<const std::byte> bytes, std::span<double> out) {
  HWY_DYNAMIC_DISPATCH(widen_f32)(bytes, out);
}
void widen_small(const SmallFloat& format, std::span<const std::byte> bytes, std::span<double> out) {
  HWY_DYNAMIC_DISPATCH(widen_small)(format, bytes, out);
}

}  // namespace stemma
#endif
