// Which numerical rank do the singular values of a difference show, and what may be said of it?
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace stemma {

/// What origin_tracer (arXiv 2505.19466; README.md) says of one layer or tensor, and of a model.
enum class OriginLabel : std::uint8_t {
  identical,        ///< nothing above the rounding of the stored weights
  low_rank,         ///< a gap, and behind it only rounding
  full_rank_close,  ///< ordinary fine-tuning or continued training
  full_rank_far,
  unrelated_here,
  dead_zone,  ///< abstains: an update too small to survive rounding
  mixed,      ///< abstains: the layers of a model disagree
  coarse,     ///< abstains: an even difference, as rounding to fewer values makes it
};
inline constexpr int origin_labels = 8;
std::string_view name_of(OriginLabel label);  ///< "LOW_RANK", "ABSTAIN(dead_zone)", ...

/// Where the largest gap lies.
struct RankReading {
  std::uint64_t limit = 0;  ///< r_max: ranks beyond it were not looked for
  std::uint64_t rank = 0;   ///< argmax over 1 <= i <= r_max of s_i / s_{i+1}, the first of equals; 0: none
  double ratio = 1;         ///< s_rank / s_{rank+1}
  std::uint64_t significant = 0;  ///< how many s_i exceed 2 s*
  double first = 0;               ///< s_1
  double behind = 0;              ///< s_{rank+1}
  double noise_edge = 0;          ///< s*
};

/// r_max = min(max_rank, floor(3/4 shortest)), where no difference can have a rank above `shortest`: H_kv d_h
/// for circuits.
std::uint64_t rank_limit(std::uint64_t max_rank, std::uint64_t shortest);

/// Reads descending singular values, all of a matrix or the largest ones, with the noise edge s*. Looks no
/// further than the last ratio that the values give. No value counts as smaller than 2^-52 s_1, which is zero
/// to a singular value decomposition in doubles: ratios are finite, and ratios within rounding no gap.
/// Throws std::invalid_argument when values are not descending, finite and >= 0.
RankReading read_rank(std::span<const double> values, double noise_edge, std::uint64_t limit);

/// IDENTICAL where s_1 <= 2 s*; LOW_RANK where a gap of 2 ends below 2 s* and half of its rank lies above,
/// unless delta is that of strangers (heads in another order differ by a matrix of low rank); otherwise the
/// dead zone for small updates, and for those that are close and sink into the rounding without a gap (fewer
/// than half of r_max values above it: what lies below may be part of them); and by delta FULL_RANK_CLOSE
/// (below 0.5), FULL_RANK_FAR (below 1.2), UNRELATED_HERE (thresholds.hpp). `delta` is the difference
/// relative to the root mean square of both norms; `update` the one relative to the base, which the dead zone
/// asks about.
OriginLabel origin_label(const RankReading& reading, double delta, double update);

/// One layer's part in the model's result.
struct OriginLayer {
  OriginLabel label = OriginLabel::mixed;
  std::uint64_t rank = 0;
};

/// Some ranks in three numbers.
struct RankSummary {
  double median = 0;          ///< the mean of the middle two; 0 where there is none
  std::uint64_t minimum = 0;  ///< the choice of arXiv 2505.19466
  std::uint64_t mode = 0;     ///< the most frequent; of equals the smallest
};
RankSummary summary_of(std::vector<std::uint64_t> ranks);

/// The model's result; the numbers are those of `ranks`.
struct OriginModel : RankSummary {
  OriginLabel label = OriginLabel::mixed;  ///< of at least half of the layers, and of more than any other
  std::uint64_t agreeing = 0;              ///< layers with the most frequent label
  std::vector<std::uint64_t> ranks;        ///< of the LOW_RANK layers, in their order
};
OriginModel origin_model(std::span<const OriginLayer> layers);

}  // namespace stemma
