// What noise does the rounding of stored weights add?
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "io/model/dtype.hpp"

namespace stemma {

/// Distance between neighbouring numbers of bf16, f16, f32 or f64 at `value`, by its binade:
/// 2^(floor(log2 |value|) - 7, 10, 23 or 52), and in the range of denormals and at zero the smallest number
/// there is. Throws std::invalid_argument for other types and where `value` is not finite.
double rounding_step(Dtype dtype, double value);

/// How far stored values may be from what was rounded to them.
struct Rounding {
  Dtype dtype = Dtype::bf16;               ///< half a step of it ...
  std::span<const double> half_distances;  ///< ... or, of codes, as far as this, value by value
};

/// Numbers of the tensors that noise is drawn for, which tell them apart from each other and from every other
/// use of a seed: W_v and W_o of a circuit, and a tensor on its own.
inline constexpr std::uint32_t origin_value_noise = 0x6f7432, origin_output_noise = 0x6f7433,
                               origin_tensor_noise = 0x6f7434;

/// Which of the independent draws of noise is meant.
struct RoundingDraw {
  std::uint64_t seed = 0;
  std::uint32_t tensor = 0;
  std::uint32_t draw = 0;
};

/// How many draws the null of so many elements takes (thresholds.hpp).
std::uint32_t rounding_draws(std::uint64_t elements);

/// One draw of the rounding null: element i is uniform in (-1/2, 1/2) x rounding_step of `stored[i]`, or in
/// (-1, 1) x its half distance, and has index `first` + i in its tensor. A pure function of (draw, index):
/// Philox4x32-10, so pieces of a tensor have the noise of the whole. Throws as rounding_step does, and
/// std::invalid_argument where half distances are not as many as values.
std::vector<double> rounding_noise(const Rounding& rounding, std::span<const double> stored,
                                   const RoundingDraw& draw, std::uint64_t first = 0);
inline std::vector<double> rounding_noise(Dtype dtype, std::span<const double> stored,
                                          const RoundingDraw& draw, std::uint64_t first = 0) {
  return rounding_noise(Rounding{dtype, {}}, stored, draw, first);
}

}  // namespace stemma
