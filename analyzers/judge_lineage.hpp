// What do neurons that two models share say about where both come from?
#pragma once
#include "analyzers/aligned_neurons.hpp"
#include "analyzers/reencoding.hpp"
#include "io/archive/evidence.hpp"
#include "io/archive/origin_trace.hpp"

namespace stemma {

/// Whether neurons could tell what the other readings leave open: the models are neither copies of each
/// other, up to rounding, nor known to differ by an update of low rank.
bool lineage_in_question(const OriginTrace& trace, const Reencoding& content);

/// Whether the neurons contradict independent initialisation, every pair and both tests paid for: by their
/// places, or by the agreement of two matchings beyond what independent models may share, which then must
/// hold the rule's share of the neurons (a tenth) in its share of the layers (half). Unlike layers that agree
/// as much as independent models may take the word away.
bool inconsistent_with_independence(const AlignedNeurons& found);

/// Judges a pair where they do, and says whether it did:
/// SAME_LINEAGE                    kappa speaks for descent
/// SHARED_INIT                     kappa speaks for a start that was shared, and no more
/// ABSTAIN(shared_init_undecided)  kappa says neither
/// ABSTAIN(conflicting)            circuits of attention differ like those of strangers, in coordinates that
///                                 are known, and kappa does not explain it by a shared start
/// The caller adds what the trace says of the difference. A failed control of the trace and weights that are
/// codes come first, and are left to the caller; rounding that is too coarse for a rank is none to neurons.
bool judge_lineage(const AlignedNeurons& found, const OriginTrace& trace, Pair& pair);

}  // namespace stemma
