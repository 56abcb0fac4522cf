// Which kinds of numbers are among a few floats? Compiled for every instruction set, chosen when it runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "analyzers/numerics/float_scan.cpp"
#include <hwy/foreach_target.h>
// What follows is read once for every instruction set.
#include <hwy/highway.h>

#include <algorithm>
#include <cstring>

#include "analyzers/numerics/float_scan.hpp"

HWY_BEFORE_NAMESPACE();
namespace stemma::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::int32_t magnitude_bits = 0x7FFFFFFF;
constexpr std::int32_t infinity_bits = 0x7F800000;
constexpr std::int32_t least_normal_bits = 0x00800000;

FloatScan scan_floats(std::span<const std::byte> bytes) {
  using Words = hn::ScalableTag<std::int32_t>;
  using Vector = hn::Vec<Words>;
  const Words words;
  const std::size_t lanes = hn::Lanes(words);
  const std::size_t elements = bytes.size() / 4;
  const std::size_t whole = elements / lanes * lanes;
  const Vector none = hn::Zero(words);
  const Vector magnitudes = hn::Set(words, magnitude_bits);
  const Vector infinity = hn::Set(words, infinity_bits);
  const Vector least_normal = hn::Set(words, least_normal_bits);
  FloatScan scan;
  Vector zero = none, negative_zero = none, infinite = none, negative_infinite = none;
  Vector nan = none, negative = none, subnormal = none;
  Vector least = hn::Set(words, scan.least), greatest = hn::Set(words, scan.greatest), smallest = least;
  const Vector highest = least, lowest = greatest;
  // A true lane is -1, so subtracting counts.
  const auto count = [&](Vector& counter, auto mask)
                         HWY_ATTR { counter = hn::Sub(counter, hn::VecFromMask(words, mask)); };
  for (std::size_t i = 0; i < whole; i += lanes) {
    const Vector bits = hn::LoadU(words, reinterpret_cast<const std::int32_t*>(bytes.data()) + i);
    const Vector magnitude = hn::And(bits, magnitudes);
    const auto minus = hn::Lt(bits, none);
    const auto is_zero = hn::Eq(magnitude, none);
    const auto is_infinite = hn::Eq(magnitude, infinity);
    const auto is_finite = hn::Lt(magnitude, infinity);
    const auto is_ordinary = hn::AndNot(is_zero, is_finite);
    count(zero, is_zero);
    count(negative_zero, hn::And(is_zero, minus));
    count(infinite, is_infinite);
    count(negative_infinite, hn::And(is_infinite, minus));
    count(nan, hn::Gt(magnitude, infinity));
    count(negative, hn::And(is_ordinary, minus));
    count(subnormal, hn::AndNot(is_zero, hn::Lt(magnitude, least_normal)));
    const Vector in_order = hn::IfThenElse(minus, hn::Xor(bits, magnitudes), bits);
    least = hn::Min(least, hn::IfThenElse(is_finite, in_order, highest));
    greatest = hn::Max(greatest, hn::IfThenElse(is_finite, in_order, lowest));
    smallest = hn::Min(smallest, hn::IfThenElse(is_ordinary, magnitude, highest));
  }
  const auto total = [&](Vector counter) HWY_ATTR {
    return static_cast<std::uint64_t>(hn::GetLane(hn::SumOfLanes(words, counter)));
  };
  scan.zero = total(zero);
  scan.negative_zero = total(negative_zero);
  scan.infinite = total(infinite);
  scan.negative_infinite = total(negative_infinite);
  scan.nan = total(nan);
  scan.negative = total(negative);
  scan.subnormal = total(subnormal);
  scan.ordinary = whole - scan.zero - scan.infinite - scan.nan;
  scan.least = hn::GetLane(hn::MinOfLanes(words, least));
  scan.greatest = hn::GetLane(hn::MaxOfLanes(words, greatest));
  scan.smallest = hn::GetLane(hn::MinOfLanes(words, smallest));
  return joined(scan, scan_floats_one_by_one(bytes.subspan(whole * 4)));
}

}  // namespace
}  // namespace stemma::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stemma {
namespace {
HWY_EXPORT(scan_floats);
}  // namespace

FloatScan scan_floats(std::span<const std::byte> bytes) { return HWY_DYNAMIC_DISPATCH(scan_floats)(bytes); }

FloatScan scan_floats_one_by_one(std::span<const std::byte> bytes) {
  FloatScan scan;
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    std::int32_t bits = 0;
    std::memcpy(&bits, bytes.data() + at, sizeof bits);
    const std::int32_t magnitude = bits & 0x7FFFFFFF;
    const bool minus = bits < 0;
    if (magnitude > 0x7F800000) {
      ++scan.nan;
    } else if (magnitude == 0x7F800000) {
      ++scan.infinite;
      scan.negative_infinite += minus ? 1 : 0;
    } else {
      scan.least = std::min(scan.least, ordered(bits));
      scan.greatest = std::max(scan.greatest, ordered(bits));
      if (magnitude == 0) {
        ++scan.zero;
        scan.negative_zero += minus ? 1 : 0;
        continue;
      }
      ++scan.ordinary;
      scan.negative += minus ? 1 : 0;
      scan.subnormal += magnitude < 0x00800000 ? 1 : 0;
      scan.smallest = std::min(scan.smallest, magnitude);
    }
  }
  return scan;
}

FloatScan joined(const FloatScan& a, const FloatScan& b) {
  return {.zero = a.zero + b.zero,
          .negative_zero = a.negative_zero + b.negative_zero,
          .infinite = a.infinite + b.infinite,
          .negative_infinite = a.negative_infinite + b.negative_infinite,
          .nan = a.nan + b.nan,
          .ordinary = a.ordinary + b.ordinary,
          .negative = a.negative + b.negative,
          .subnormal = a.subnormal + b.subnormal,
          .least = std::min(a.least, b.least),
          .greatest = std::max(a.greatest, b.greatest),
          .smallest = std::min(a.smallest, b.smallest)};
}

}  // namespace stemma
#endif
