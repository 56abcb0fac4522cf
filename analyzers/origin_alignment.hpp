// In which coordinates of the base does the residual stream of a candidate run?
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace stemma {

/// What was done to the axes of the residual stream.
enum class StreamChange : std::uint8_t { identity, signed_permutation, orthogonal, unaligned };

/// The map Q, d x d orthogonal, and the scale s with E_c ~ s E_b Q for the embeddings of base and candidate.
struct StreamAlignment {
  StreamChange change = StreamChange::unaligned;
  std::uint64_t width = 0;            ///< d
  std::vector<std::uint64_t> source;  ///< of a signed permutation: axis i of the base is axis source[i] ...
  std::vector<double> sign;           ///< ... of the candidate times sign[i], 1 or -1
  /// Q of an orthogonal map, row-major; of unaligned streams the nearest one, where it is not far.
  std::vector<double> rotation;
  double scale = 1;     ///< s
  double agreeing = 0;  ///< share of axes that agree by the rule of `change`; of a rotation: 0
  double residual = 0;  ///< |E_c Q^T / s - E_b|_F / |E_b|_F of the map that was judged; right to 1e-8.
                        ///< Unaligned: of the best rotation, or a lower bound of it
};

/// Embeddings of the same `tokens` tokens in both models, row-major tokens x width.
struct SharedEmbeddings {
  std::span<const double> base, candidate;
  std::uint64_t tokens = 0, width = 0;
};

/// Tried in this order:
/// identity            90 % of the columns of E_b and E_c have a cosine above 0.9 at equal index
/// signed_permutation  90 % of the columns are each other's best match, with |cosine| above 0.9; those left
/// over
///                     are matched by descending |cosine|
/// orthogonal          Q = U V^T from E_b^T E_c = U S V^T (Schoenemann, Psychometrika 31, 1966), tokens >= d,
///                     residual below 0.5
/// and unaligned otherwise. s = |E_c|_F / |E_b|_F, but 1 for an identity whose norms differ by less than 5 %:
/// training moves embeddings, a scaled stream is off by more. A rotation needs E_b^T E_c of rank d, or d - 1
/// for embeddings centred for a LayerNorm, whose missing direction no folded weight has.
///
/// Nothing when an element is not finite. Throws std::invalid_argument when sizes do not fit, InvalidInput
/// with rule spectrum.invariant when dgesdd gives up.
std::optional<StreamAlignment> align_stream(const SharedEmbeddings& embeddings);

/// A reader of the candidate, rows x d row-major and with its gain folded in, in the base's coordinates:
/// W Q^T. Throws std::invalid_argument where sizes do not fit or the streams are unaligned, as does the next.
std::vector<double> aligned_reader(const StreamAlignment& alignment, std::span<const double> reader,
                                   std::uint64_t rows);

/// A reader of the base, rows x d row-major, in the candidate's coordinates: W Q, up to the scale of the
/// stream, which readers do not see.
std::vector<double> turned_reader(const StreamAlignment& alignment, std::span<const double> reader,
                                  std::uint64_t rows);

/// A writer of the candidate, d x cols row-major, in the base's coordinates: Q W / s.
std::vector<double> aligned_writer(const StreamAlignment& alignment, std::span<const double> writer,
                                   std::uint64_t cols);

}  // namespace stemma
