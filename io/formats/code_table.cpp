// Published tables; the regular ones are computed from their definitions.
#include "io/formats/code_table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "io/model/widen.hpp"

namespace stemma::code_table {
namespace {

/// 0, 1, ..., 255 as bytes, read as `dtype`.
std::vector<float> all_bytes_as(Dtype dtype) {
  std::array<std::byte, 256> codes{};
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::byte>(i);
  std::array<double, 256> wide{};
  widen(dtype, codes, wide);
  return {wide.begin(), wide.end()};
}

constexpr std::array e2m1_values{0.0F,  0.5F,  1.0F,  1.5F,  2.0F,  3.0F,  4.0F,  6.0F,
                                 -0.0F, -0.5F, -1.0F, -1.5F, -2.0F, -3.0F, -4.0F, -6.0F};

constexpr std::array nf4_values{-1.0F,
                                -0.6961928009986877F,
                                -0.5250730514526367F,
                                -0.39491748809814453F,
                                -0.28444138169288635F,
                                -0.18477343022823334F,
                                -0.09105003625154495F,
                                0.0F,
                                0.07958029955625534F,
                                0.16093020141124725F,
                                0.24611230194568634F,
                                0.33791524171829224F,
                                0.44070982933044434F,
                                0.5626170039176941F,
                                0.7229568362236023F,
                                1.0F};

constexpr float twelfth(float steps) { return steps / 12.0F; }
constexpr std::array fp4_values{twelfth(0.0F),  twelfth(0.0625F),  twelfth(8.0F),  twelfth(12.0F),
                                twelfth(4.0F),  twelfth(6.0F),     twelfth(2.0F),  twelfth(3.0F),
                                twelfth(-0.0F), twelfth(-0.0625F), twelfth(-8.0F), twelfth(-12.0F),
                                twelfth(-4.0F), twelfth(-6.0F),    twelfth(-2.0F), twelfth(-3.0F)};

}  // namespace

std::vector<float> unsigned_integers(unsigned bits) {
  std::vector<float> values(std::size_t{1} << bits);
  std::iota(values.begin(), values.end(), 0.0F);
  return values;
}

std::vector<float> signed_bytes() { return all_bytes_as(Dtype::i8); }
std::vector<float> small_floats(Dtype dtype) { return all_bytes_as(dtype); }
std::span<const float> e2m1() { return e2m1_values; }
std::span<const float> nf4() { return nf4_values; }
std::span<const float> fp4() { return fp4_values; }

std::vector<float> half_distances(std::span<const float> values) {
  std::vector<float> sorted;
  std::ranges::copy_if(values, std::back_inserter(sorted), [](float value) { return std::isfinite(value); });
  std::ranges::sort(sorted);
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::vector<float> half(values.size(), std::numeric_limits<float>::quiet_NaN());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    const auto at = std::ranges::lower_bound(sorted, values[i]);
    const float below = at == sorted.begin() ? 0.0F : *at - *std::prev(at);
    const float above = std::next(at) == sorted.end() ? 0.0F : *std::next(at) - *at;
    half[i] = std::max(below, above) / 2;
  }
  return half;
}

}  // namespace stemma::code_table
