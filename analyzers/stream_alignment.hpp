// In which coordinates of the base does a candidate's residual stream run? Asked of embeddings.
#pragma once
#include "analyzers/pair_analyzer.hpp"

namespace stemma {

/// One subject, "alignment": rows of both embeddings that belong to the same token (by index, since the
/// weights know no vocabulary), at most twice as many as the stream is wide and evenly spread. Its features
/// are read by stream_alignment_of. None where the streams differ in width or an embedding is missing.
const PairAnalyzer& stream_alignment_analyzer();

/// What the subject found, and the map in numbers: source and sign of each axis of a signed permutation as
/// sign * (source + 1), d of them; a rotation row-major, d x d. Unaligned streams may have one too: the
/// nearest rotation.
struct FoundAlignment {
  StreamAlignment alignment;
  std::uint64_t tokens = 0;
  std::vector<double> map;
  bool by_neurons = false;  ///< and by no token (neuron_stream.hpp)
};
FoundAlignment stream_alignment_of(const Features& features);

/// The alignment of a known change and scale with its map in those numbers.
StreamAlignment alignment_with(StreamChange change, double scale, std::uint64_t width,
                               std::span<const double> map);

std::string_view name_of(StreamChange change);  ///< "identity", "signed_permutation", ...

}  // namespace stemma
