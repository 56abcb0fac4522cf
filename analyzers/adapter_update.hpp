// What does a pair of LoRA factors add to a weight: of which size, and of which rank?
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "io/model/dtype.hpp"

namespace stemma {

/// P = scale B A of row-major factors, B rows x inner and A inner x cols, with the types they are stored in
/// (bf16, f16, f32 or f64). Any inner side.
struct LoraFactors {
  std::span<const double> b, a;
  std::uint64_t rows = 0, inner = 0, cols = 0;
  Dtype dtype_b = Dtype::f32, dtype_a = Dtype::f32;
  double scale = 1;
};

struct AdapterUpdate {
  std::vector<double> values;  ///< of P, descending: the first min(inner, rows, cols), all others are zero
  double noise_edge = 0;       ///< s*
  std::uint64_t rank = 0;      ///< values above 2 s*
  double norm = 0;             ///< |P|_F
};

/// The singular values of P and how many of them lie above the rounding of the stored factors: s* is the
/// largest singular value, over three draws (one from 2^20 elements of the factors on), of
/// scale (dB A + B dA) with half a last place of noise in every element, and at least what arithmetic in
/// doubles may add. P is not formed unless inner > min(rows, cols). O((rows + cols) inner^2) operations. A
/// pure function of its arguments.
///
/// Nothing when an element or a value is not finite. Throws std::invalid_argument when sizes do not fit or a
/// type has no rounding step, InvalidInput with rule spectrum.invariant when dgesdd gives up.
std::optional<AdapterUpdate> read_adapter_update(const LoraFactors& factors, std::uint64_t seed);

}  // namespace stemma
