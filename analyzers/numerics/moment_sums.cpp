// What are the sums that moments are made of, many at once? Compiled for every instruction set, chosen when
// it runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "analyzers/numerics/moment_sums.cpp"
#include <hwy/foreach_target.h>
// What follows is read once for every instruction set.
#include <hwy/highway.h>

#include <array>
#include <cmath>
#include <numeric>

#include "analyzers/numerics/moment_sums.hpp"

HWY_BEFORE_NAMESPACE();
namespace stemma::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t partial_sums = 8;
using Partial = std::array<double, partial_sums>;
using Doubles = hn::CappedTag<double, partial_sums>;

double in_order(const Partial& sums) {
  double sum = 0;
  for (const double x : sums) sum += x;
  return sum;
}

// Vectors that are shorter than eight go through the values several times; they are in the nearest cache.

RawSums raw_sums(std::span<const double> values) {
  const Doubles doubles;
  const std::size_t whole = values.size() / partial_sums * partial_sums;
  Partial plain{};
  Partial square{};
  Partial magnitude{};
  for (std::size_t lane = 0; lane < partial_sums; lane += hn::Lanes(doubles)) {
    auto plain_lanes = hn::Zero(doubles);
    auto square_lanes = hn::Zero(doubles);
    auto magnitude_lanes = hn::Zero(doubles);
    for (std::size_t i = lane; i < whole; i += partial_sums) {
      const auto x = hn::LoadU(doubles, values.data() + i);
      plain_lanes = hn::Add(plain_lanes, x);
      square_lanes = hn::Add(square_lanes, hn::Mul(x, x));
      magnitude_lanes = hn::Add(magnitude_lanes, hn::Abs(x));
    }
    hn::StoreU(plain_lanes, doubles, plain.data() + lane);
    hn::StoreU(square_lanes, doubles, square.data() + lane);
    hn::StoreU(magnitude_lanes, doubles, magnitude.data() + lane);
  }
  for (std::size_t i = whole; i < values.size(); ++i) {
    const double x = values[i];
    plain[i - whole] += x;
    square[i - whole] += x * x;
    magnitude[i - whole] += std::abs(x);
  }
  return {in_order(plain), in_order(square), in_order(magnitude)};
}

PowerSums power_sums(std::span<const double> values, double mean) {
  const Doubles doubles;
  const std::size_t whole = values.size() / partial_sums * partial_sums;
  Partial first{};
  Partial second{};
  Partial third{};
  Partial fourth{};
  const auto means = hn::Set(doubles, mean);
  for (std::size_t lane = 0; lane < partial_sums; lane += hn::Lanes(doubles)) {
    auto first_lanes = hn::Zero(doubles);
    auto second_lanes = hn::Zero(doubles);
    auto third_lanes = hn::Zero(doubles);
    auto fourth_lanes = hn::Zero(doubles);
    for (std::size_t i = lane; i < whole; i += partial_sums) {
      const auto d = hn::Sub(hn::LoadU(doubles, values.data() + i), means);
      const auto square = hn::Mul(d, d);
      first_lanes = hn::Add(first_lanes, d);
      second_lanes = hn::Add(second_lanes, square);
      third_lanes = hn::Add(third_lanes, hn::Mul(square, d));
      fourth_lanes = hn::Add(fourth_lanes, hn::Mul(square, square));
    }
    hn::StoreU(first_lanes, doubles, first.data() + lane);
    hn::StoreU(second_lanes, doubles, second.data() + lane);
    hn::StoreU(third_lanes, doubles, third.data() + lane);
    hn::StoreU(fourth_lanes, doubles, fourth.data() + lane);
  }
  for (std::size_t i = whole; i < values.size(); ++i) {
    const double d = values[i] - mean;
    const double square = d * d;
    first[i - whole] += d;
    second[i - whole] += square;
    third[i - whole] += square * d;
    fourth[i - whole] += square * square;
  }
  return {in_order(first), in_order(second), in_order(third), in_order(fourth)};
}

bool all_finite(std::span<const double> values) {
  const Doubles doubles;
  const std::size_t lanes = hn::Lanes(doubles);
  auto nothing = hn::Zero(doubles);  // stays zero as long as x - x is
  std::size_t i = 0;
  for (; i + lanes <= values.size(); i += lanes) {
    const auto x = hn::LoadU(doubles, values.data() + i);
    nothing = hn::Or(nothing, hn::Sub(x, x));
  }
  if (!hn::AllTrue(doubles, hn::Eq(nothing, hn::Zero(doubles)))) return false;
  for (; i < values.size(); ++i)
    if (!std::isfinite(values[i])) return false;
  return true;
}

}  // namespace
}  // namespace stemma::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stemma {
namespace {
HWY_EXPORT(raw_sums);
HWY_EXPORT(power_sums);
HWY_EXPORT(all_finite);
}  // namespace

RawSums raw_sums(std::span<const double> values) { return HWY_DYNAMIC_DISPATCH(raw_sums)(values); }
PowerSums power_sums(std::span<const double> values, double mean) {
  return HWY_DYNAMIC_DISPATCH(power_sums)(values, mean);
}
double norm_of(std::span<const double> values) {
  return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
}
bool all_finite(std::span<const double> values) { return HWY_DYNAMIC_DISPATCH(all_finite)(values); }

}  // namespace stemma
#endif
