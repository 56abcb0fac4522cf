// What may be said about a pair of models, and about what a model declares, given the evidence?
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analyzers/aligned_heads.hpp"
#include "analyzers/aligned_neurons.hpp"
#include "analyzers/background.hpp"
#include "analyzers/judge_neurons.hpp"
#include "analyzers/reencoding.hpp"
#include "analyzers/same_function.hpp"
#include "io/archive/evidence.hpp"
#include "io/archive/fingerprint.hpp"
#include "io/archive/origin_trace.hpp"

namespace stemma {

/// Fills relation, reason, sentence and curve_score of `pair` from its evidence rows and the two
/// fingerprints. ABSTAIN(random_init) comes first; content raises EXACT_COPY when both models have the same
/// roles and every canonical tensor agrees in hash, type and shape; then judge_neurons speaks where neurons
/// were compared. Published scores rank candidates and raise nothing, so everything else abstains: no_anchor,
/// too_few_layers, no_valid_null, unsupported.
void judge(const Fingerprint& a, const Fingerprint& b, Pair& pair, const NeuronStanding* neurons = nullptr);

/// What the tests of the weights of a pair found. `function` is asked where function_in_question says so,
/// `neurons` and `heads` where lineage_in_question does.
struct WeightFindings {
  OriginTrace origin;
  Reencoding content;
  SameFunction function;
  AlignedNeurons neurons;
  AlignedHeads heads;
};

/// Whether the answers of all parts could tell what the other readings leave open: the circuits of every
/// layer hardly differ, the weights do, and neither rounding nor an update of low rank explains them.
bool function_in_question(const OriginTrace& trace, const Reencoding& content);

/// Rows of evidence of all tests of the weights.
std::vector<Evidence> weight_evidence(const WeightFindings& found);

/// What the weights add to a pair that was judged, by the precedence of classes: a pair without history
/// (random_init) and an EXACT_COPY stay. REENCODED_COPY when every weight is equal after rounding to the
/// coarser type, which gives the direction as well; REPARAMETRISED_COPY when all parts of both models answer
/// alike within rounding; LOW_RANK_RELATED when most weights that changed, or the circuits of most layers,
/// differ by an update of low rank; what judge_lineage says where neurons contradict independent
/// initialisation; NO_EVIDENCE when the circuits of most layers differ as much as those of strangers; else
/// ABSTAIN with the reason of the trace. `base_is_a` says which model of the pair the trace calls base.
void judge_weights(const WeightFindings& found, bool base_is_a, Pair& pair);

/// What the weights say about a model's declared bases.
enum class Declaration : std::uint8_t { none, supported, not_supported, other_found, undeclared, untestable };
std::string_view name_of(Declaration declaration);  ///< "" for none

/// One row of the verdict table.
struct ModelVerdict {
  Relation relation = Relation::abstain;
  std::string relative;  ///< id of the strongest relation; "" when every pair abstains or finds nothing
  std::string reason;    ///< why ABSTAIN
  int direction = 0;     ///< 1: the model comes from the relative, -1: the relative from it, 0: unknown
  Declaration declaration = Declaration::none;
  std::string declaration_reason;   ///< one sentence
  std::vector<std::string> others;  ///< further relations, "id:RELATION"
  std::string nearest_by_curve;     ///< a ranking, not a verdict: the highest curve score
  double nearest_score = missing;
  Rank nearest_rank;  ///< of that score among unrelated pairs
};

/// One verdict per model, in the order of `models`, over all judged pairs. A base counts as reached when the
/// relation holds with an exact or re-encoded copy of it. `background` ranks curve scores and decides
/// nothing.
std::vector<ModelVerdict> model_verdicts(std::span<const Fingerprint> models, std::span<const Pair> pairs,
                                         const Background& background = {});

}  // namespace stemma
