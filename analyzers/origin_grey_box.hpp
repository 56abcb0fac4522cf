// Which rank has the update of a layer's attention, for a reader who sees only what goes in and comes out?
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analyzers/origin_inversion.hpp"
#include "analyzers/origin_rank.hpp"
#include "analyzers/single_token_layer.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

struct GreyBoxOptions {
  std::uint64_t probes = 0;       ///< tokens to be drawn; 0: d/2 + 64
  std::uint64_t repetitions = 8;  ///< subsets of probes
  std::uint64_t seed = 0;
  std::uint64_t max_rank = thresholds::origin_max_rank;
  InversionOptions inversion;
  /// Probes with a larger relative error of the inversion are left out: one that went astray adds a direction
  /// of its own. Infinity keeps all, which Adam may need.
  double accepted = 1e-6;
};

/// Which of `tokens` tokens are asked about: options.probes different ones, or all where there are no more,
/// ascending. Depends on the seed alone.
std::vector<std::size_t> draw_probes(const GreyBoxOptions& options, std::uint64_t width,
                                     std::uint64_t tokens);

/// What one layer shows.
struct GreyBoxReading {
  /// Of the subset with the smallest rank, the first of equals. Its noise edge is what the inversion left,
  /// |F|_F of the subset, or 2^-53 |f|_F: rounding of the candidate's weights, which nobody sees here, lies
  /// above it, so origin_label does not apply.
  RankReading rank;
  std::vector<double> values;            ///< singular values of that subset of D, descending
  std::vector<RankReading> repetitions;  ///< of every subset
  /// |D|_F / sqrt((|y_b - x|_F^2 + |z - x|_F^2) / 2): the root of 2 for independent layers
  double delta = 0;
  std::uint64_t probes = 0, accepted = 0;  ///< asked, and inverted well enough to be used
  std::uint64_t contracted = 0;            ///< probes whose fixed point sufficed
  double error = 0;                        ///< largest relative error of the accepted probes
  double worst_error = 0;                  ///< of all probes
  std::uint64_t most_steps = 0;            ///< of a probe
  double mean_steps = 0;
  std::uint64_t passes = 0;  ///< of one probe through the base's MLP, forwards or backwards
  double flops = 0;          ///< of these, of attention, and 4 n m^2 of every decomposition of n x m
};

/// The grey-box form of origin_tracer (arXiv 2505.19466), for `inputs` x of a layer in the base, probes x d,
/// and `outputs` f of the candidate's layer for these same inputs. With y_b = x + Attn_b(x) and z from
/// z + MLP_b(N(z)) = f (invert_mlp from y_b), z is the candidate's state after attention if its MLP is the
/// base's, and D = y_b - z = -N(X) dM^T has the rank of the update of Wo_bar W_v where the probes are enough.
/// From `repetitions` random subsets of min(n, d/2) accepted probes: the largest ratio of neighbouring
/// singular values up to rank_limit(max_rank, min(H_kv d_h, subset)), and of these ranks the smallest.
/// Subsets of d/2 and the smallest rank are the paper's, how many probes and subsets is not known from it.
/// No rank is read, and `repetitions` stays empty, where fewer than half of the probes are accepted, or
/// fewer than two.
///
/// Nothing when a number that goes in is not finite. Throws std::invalid_argument when sizes do not fit,
/// InvalidInput with rule spectrum.invariant when dgesdd gives up.
std::optional<GreyBoxReading> read_grey_box(const SingleTokenLayer& base, std::span<const double> inputs,
                                            std::span<const double> outputs, const GreyBoxOptions& options);

}  // namespace stemma
