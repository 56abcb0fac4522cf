// Is the difference of two stored tensors an update of low rank, or are the new rows of one outside the
// other's?
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analyzers/origin_circuit.hpp"
#include "analyzers/origin_rounding.hpp"

namespace stemma {

/// A pair of row-major rows x cols matrices.
struct TensorPair {
  std::span<const double> base, candidate;
  std::uint64_t rows = 0, cols = 0;
  Rounding rounding;  ///< of the candidate's values, or as it is in the base: the null
};

/// What one tensor shows.
struct TensorReading {
  std::vector<double> values;  ///< descending: all; or, of a large matrix, those down to the noise and some
                               ///< of the noise, 48 at least, at most r_max + 16
  double update = 0;  ///< |difference|_F / |base|_F: the relative root mean square of the update; infinite
                      ///< where the base is zero
  double delta = 0;   ///< |difference|_F / sqrt((|base|_F^2 + |candidate|_F^2) / 2)
  RankReading rank;
  OriginLabel label = OriginLabel::identical;
};

/// For layers whose neurons and heads have the same order in both models: the singular
/// values of candidate - base, with r_max = min(max_rank, 3/4 min(rows, cols)) and s* the largest singular
/// value over three draws of rounding noise of the candidate (of one from 2^20 elements on) (at least 4
/// sqrt(min(rows, cols)) 2^-53 |difference|_F, what dgesdd may add). Tensors that differ anywhere by less
/// than 2 s* are in the dead zone, not IDENTICAL: without obfuscation only an update makes a difference. A
/// close difference of full rank whose values are as even as those of noise is coarse: somebody rounded to
/// fewer values. So is one that rounding to codes explains, where the null is that of codes.
///
/// Nothing when an element is not finite. Throws std::invalid_argument when sizes do not fit or the type has
/// no rounding step.
std::optional<TensorReading> read_tensor(const TensorPair& pair, const OriginOptions& options);

/// Norm gains in front of both matrices of a pair, `cols` elements each; empty: ones.
struct PairGains {
  std::span<const double> base, candidate;
};

/// For W_v or W_k with rows < cols: the rank r of a low-rank update of the rows, whatever
/// was done to their basis, from the part of the candidate's rows outside the base's row space,
/// W' - (W' Q) Q^T with folded W, W' and the Q factor of W^T. Generically of rank r exactly. The noise is
/// pushed through the same projector, and s* at least 4 sqrt(rows) 2^-53 |W'|_F; r_max = min(max_rank, 3/4
/// min(rows, cols - rows)). update and delta are |residual|_F / |W'|_F, at most 1, so that of the
/// labels only IDENTICAL (the row space is the base's), LOW_RANK and the dead zone mean something here.
///
/// Nothing when an element is not finite. Throws std::invalid_argument when sizes do not fit, when rows >=
/// cols (the row space is everything) or the type has no rounding step.
std::optional<TensorReading> read_row_space(const TensorPair& pair, const PairGains& gains,
                                            const OriginOptions& options);

}  // namespace stemma
