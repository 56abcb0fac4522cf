// What do all readings of a pair come to?
#pragma once
#include "analyzers/origin_tracer.hpp"
#include "analyzers/stream_alignment.hpp"
#include "io/archive/features.hpp"
#include "io/archive/origin_trace.hpp"

namespace stemma {

/// The trace of one pair from the features of its subjects. A reading without features failed; roles that
/// were known to be equal count as unchanged. `alignment` with change unaligned where embeddings decided
/// nothing.
OriginTrace origin_trace(const ModelPair& pair, const FoundAlignment& alignment,
                         const FeatureSource& features, const std::map<std::string, double>& options);

/// Rows of evidence: one for the pair, then one for each reading.
std::vector<Evidence> origin_evidence(const OriginTrace& trace);

/// What a LOW_RANK trace says in words: "an update of rank 8 in attn.q, attn.v"; "" where it is none.
std::string low_rank_words(const OriginTrace& trace);

}  // namespace stemma
