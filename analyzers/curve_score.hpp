// How alike are the curves of two models, part by part?
#pragma once
#include <array>
#include <string>
#include <string_view>

#include "analyzers/curves.hpp"
#include "io/archive/fingerprint.hpp"

namespace stemma {

/// What to do about different numbers of layers: resample the shorter curve, or give no score.
enum class DepthMode { interp_longer, refuse };
DepthMode depth_mode_named(std::string_view name);  ///< throws std::invalid_argument

/// Pearson's r of each of four curves and their mean. `r` is NaN where a model lacks the part.
struct CurveScore {
  std::array<Correlation, 4> parts;
  double mean = 0;     ///< over all four; NaN when one is missing
  double minimum = 0;  ///< of the four; NaN when one is missing
  int layers_a = 0;    ///< points of the four curves that were compared, the fewest
  int layers_b = 0;
  bool aligned = true;  ///< false: depths differ and DepthMode::refuse forbids a score
};

/// One curve against another, at the layers where both have the part; of different depths, without those that
/// lack it.
Correlation compare_curves(std::span<const double> a, std::span<const double> b, DepthMode mode);

/// The published score (arXiv 2507.03014): curves of q, k, v, o.
CurveScore curve_score(const IntrinsicCurves& a, const IntrinsicCurves& b, DepthMode mode);

/// The same recipe on the twin curves, averaged over those that both models have.
struct TwinScore {
  std::array<Correlation, 4> parts;
  double mean = 0;  ///< NaN when no curve is shared
  int used = 0;
};
TwinScore twin_score(const IntrinsicCurves& a, const IntrinsicCurves& b, DepthMode mode);

/// What a score means, in words: "curves agree as in known continuations", "inconclusive" or "no evidence";
/// "" for NaN.
std::string_view score_reading(double score);

/// Why a curve score alone decides nothing: a sentence with the numbers that say so.
std::string_view curve_score_caveat();

}  // namespace stemma
