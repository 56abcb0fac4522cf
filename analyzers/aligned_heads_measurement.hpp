// How are the heads of two layers matched by their circuits?
#pragma once
#include "analyzers/pair_analyzer.hpp"

namespace stemma {

/// Parameters of a subject: width, centred, change (StreamChange of the map, identity for none), for each
/// side heads and kv_heads, and where among the companions lie its gains pre, post, query and key (with
/// ..._offset), and the map; absent where there is none. Its matrices are q, k, v and o of the base, then of
/// the candidate.
Cost aligned_heads_cost(const Subject& subject, std::span<const Input> inputs);

/// Features: counts kept, units, matched, agreeing, labelled, fixed, sorted, heads and agreeing_heads,
/// numbers query_key and value_output, as HeadLayer has them. Status nonfinite where a weight is not finite.
std::unique_ptr<Measurement> begin_aligned_heads(const Subject& subject, std::span<const Input> inputs,
                                                 std::span<const std::vector<double>> companions);

}  // namespace stemma
