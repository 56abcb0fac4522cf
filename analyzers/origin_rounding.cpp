// One Philox block serves four elements: 32 bits are more than a noise of a few per cent of accuracy needs.
#include "analyzers/origin_rounding.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <stdexcept>

#include "analyzers/numerics/random_numbers.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

struct FloatFormat {
  int fraction_bits;
  int smallest_exponent;  ///< of the normal numbers
};

FloatFormat format_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::bf16:
      return {7, -126};
    case Dtype::f16:
      return {10, -14};
    case Dtype::f32:
      return {23, -126};
    case Dtype::f64:
      return {52, -1022};
    default:
      throw std::invalid_argument("the rounding null knows bf16, f16, f32 and f64");
  }
}

double step(const FloatFormat& format, double value) {
  if (!std::isfinite(value)) throw std::invalid_argument("a number that is not finite has no rounding step");
  // Exponents of normal doubles are read and written as bits: a call for each element costs more than the
  // noise.
  constexpr int bias = 1023, fraction = 52;
  const int biased = static_cast<int>(std::bit_cast<std::uint64_t>(value) >> fraction & 0x7FF);
  const int exponent = value == 0    ? format.smallest_exponent
                       : biased != 0 ? biased - bias
                                     : std::ilogb(value);
  const int at = std::max(exponent, format.smallest_exponent) - format.fraction_bits;
  if (at <= -bias) return std::scalbn(1, at);
  return std::bit_cast<double>(static_cast<std::uint64_t>(at + bias) << fraction);
}

}  // namespace

double rounding_step(Dtype dtype, double value) { return step(format_of(dtype), value); }

std::uint32_t rounding_draws(std::uint64_t elements) {
  return elements < thresholds::origin_one_draw ? thresholds::origin_draws : 1;
}

std::vector<double> rounding_noise(const Rounding& rounding, std::span<const double> stored,
                                   const RoundingDraw& draw, std::uint64_t first) {
  const FloatFormat format = format_of(rounding.dtype);
  const std::span<const double> halves = rounding.half_distances;
  if (!halves.empty() && halves.size() != stored.size())
    throw std::invalid_argument("codes have a half distance each");
  std::vector<double> out(stored.size());
  std::array<std::uint32_t, 4> words{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::uint64_t index = first + i, block = index / 4;
    if (i == 0 || index % 4 == 0) words = random_words(draw.seed, draw.tensor, block, draw.draw);
    const double uniform = (words.at(index % 4) + 0.5) * 0x1p-32 - 0.5;
    out[i] = uniform * (halves.empty() ? step(format, stored[i]) : 2 * halves[i]);
  }
  return out;
}

}  // namespace stemma
