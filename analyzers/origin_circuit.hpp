// How do the value and output circuits of two layers differ, and is the difference an update of low rank?
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analyzers/origin_rank.hpp"
#include "analyzers/origin_rounding.hpp"
#include "analyzers/thresholds.hpp"
#include "io/model/dtype.hpp"

namespace stemma {

/// Sizes of an attention layer: d, H, H_kv, d_h. H is a multiple of H_kv.
struct AttentionShape {
  std::uint64_t width = 0, heads = 0, kv_heads = 0, head_width = 0;
  std::uint64_t inner() const { return kv_heads * head_width; }
};

/// The weights that one token sees of attention, row-major.
struct ValueOutput {
  std::span<const double> value;   ///< W_v, H_kv d_h x d
  std::span<const double> output;  ///< W_o, d x H d_h
  std::span<const double> gain;    ///< gamma of the norm in front of W_v as it is applied, d; empty: ones
};

/// How W_v and W_o were rounded.
struct ValueOutputRounding {
  Rounding value, output;
};

struct OriginOptions {
  std::uint64_t max_rank = thresholds::origin_max_rank;
  std::uint64_t seed = 0;  ///< of rounding noise and of the block of a subspace iteration
};

/// Wo_bar^(j) = sum of W_o^(h) over the G = H/H_kv query heads h of kv head j = floor(h/G): d x H_kv d_h,
/// row-major, of `output`, d x H d_h.
std::vector<double> pooled_output(const AttentionShape& shape, std::span<const double> output);

/// The rounding null s*: the largest singular value, over three draws of rounding noise N_v
/// and N_o of the candidate as it is stored, of N_o pooled W_v diag(gamma) + Wo_bar N_v diag(gamma). A change
/// of basis of the residual stream leaves it alone but for the scale of writers. NaN when a product is not
/// finite. Throws std::invalid_argument when sizes do not fit or a type has no rounding step.
double circuit_noise_edge(const AttentionShape& shape, const ValueOutput& candidate,
                          const ValueOutputRounding& rounding, std::uint64_t seed);

/// Everything of one layer.
struct CircuitReading {
  std::vector<double> values;  ///< of dG, descending: all 2 H_kv d_h, or the largest r_max + 16
  double delta = 0;            ///< |dG|_F / sqrt((|G_b|_F^2 + |G_c|_F^2) / 2); 0 of two zeros
  double cosine = 0;           ///< <G_b, G_c> / (|G_b|_F |G_c|_F); 0 where one is zero
  RankReading rank;
  OriginLabel label = OriginLabel::identical;
};

/// dG = G_c - G_b with G = Wo_bar W_v diag(gamma), of two layers of one shape in the same coordinates of the
/// residual stream. No basis inside a kv head, order of kv heads or of the query heads
/// of one, nor an absorbed gain matters. `noise_edge` is circuit_noise_edge of the
/// model that may have been made from the other.
///
/// dG = [Wo_bar' | -Wo_bar] [W_v' diag(gamma') ; W_v diag(gamma)] has 2 H_kv d_h <= d columns inside: all its
/// singular values come from the Householder core (thin_product_values); else the largest r_max + 16 by
/// leading_singular_values. s* is at least what this arithmetic adds, 2^-53 times the Frobenius norms of
/// both factors, which matters for f64 only. delta is right to 1e-8 in the second form, where it comes from
/// inner products: |dG|^2 = |G_b|^2 + |G_c|^2 - 2 <G_b, G_c>.
///
/// The dead zone asks about delta. An update so small that no value exceeds 2 s* is IDENTICAL here: circuits
/// cannot tell it from a disguised copy, which rounding alone moves by as much.
///
/// Nothing when an element is not finite. Throws std::invalid_argument when sizes do not fit.
std::optional<CircuitReading> read_circuit(const AttentionShape& shape, const ValueOutput& base,
                                           const ValueOutput& candidate, double noise_edge,
                                           const OriginOptions& options);

/// The same, with the null of a candidate that is given as it is stored.
std::optional<CircuitReading> read_circuit(const AttentionShape& shape, const ValueOutput& base,
                                           const ValueOutput& candidate, const ValueOutputRounding& rounding,
                                           const OriginOptions& options);

}  // namespace stemma
