// Was this model made from that base by an update of low rank, and of which rank (arXiv 2505.19466)?
#pragma once
#include <string>

#include "analyzers/pair_analyzer.hpp"

namespace stemma {

/// Ways of reading a pair, a parameter of each subject.
enum class OriginKind : std::uint8_t { circuit, tensor, row_space, control };

/// Subjects, by what the alignment of the residual streams allows:
/// layers/L/circuit   the difference of the value and output circuits: every layer
/// layers/L/ROLE      the difference of one matrix: where the axes of the stream are the same
/// layers/L/ROLE/rows new rows of attn.k and attn.v outside the base's row space: aligned streams, GQA
/// control            the circuit of the base's first layer against that of another layer of the candidate:
///                    what strangers of these very shapes look like
/// Roles that are known to be equal have none. Options: max_rank, seed.
///
/// No subjects where origin_obstacle says why.
const PairAnalyzer& origin_tracer_analyzer();

/// Why circuits of these two models cannot be compared; both empty when they can.
struct OriginObstacle {
  std::string reason;    ///< of the abstention: unsupported, unreadable_quantisation
  std::string sentence;  ///< what follows "because"
};
/// From headers only.
OriginObstacle origin_obstacle(const ModelPair& pair);

/// Paths of the subjects, and what they say.
std::string origin_path(OriginKind kind, const Role& role);

}  // namespace stemma
