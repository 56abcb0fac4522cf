// What may be said about a pair of models, given the evidence?
#include "analyzers/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "analyzers/content_pair.hpp"
#include "analyzers/judge_lineage.hpp"
#include "analyzers/origin_rank.hpp"
#include "analyzers/origin_summary.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

const Evidence* headline_of(const Pair& pair, std::string_view method) {
  for (const Evidence& row : pair.evidence) {
    if (row.method == method && row.role.empty()) return &row;
  }
  return nullptr;
}

std::string hash_words(const ContentMatch& match) {
  if (match.equal_tensors == 0) return "";
  return fmt::format(" {} of {} tensors are equal in 128-bit content hash.", match.equal_tensors,
                     std::max(match.tensors_a, match.tensors_b));
}

void abstain(Pair& pair, std::string reason, std::string sentence) {
  pair.relation = Relation::abstain;
  pair.reason = std::move(reason);
  pair.sentence = std::move(sentence);
}

}  // namespace

void judge(const Fingerprint& a, const Fingerprint& b, Pair& pair, const NeuronStanding* neurons) {
  const ContentMatch match = match_content(a, b);
  const Evidence* curves = headline_of(pair, "intrinsic_fingerprint");
  pair.curve_score = curves != nullptr ? curves->score : missing;
  pair.direction = 0;
  pair.reason.clear();
  for (const Fingerprint* model : {&a, &b}) {
    if (!model->intrinsic || !model->intrinsic->random_init) continue;
    const std::string same =
        match.identical ? " All tensors are equal in 128-bit content hash." : hash_words(match);
    return abstain(pair, "random_init",
                   fmt::format("{}: {}; untrained weights have no history to tell.{}", model->id,
                               model->intrinsic->random_init_reason, same));
  }
  if (match.identical && match.equal_tensors == 0) {
    return abstain(pair, "unsupported",
                   "All tensors are equal, but none has enough distinct values to be more than custom.");
  }
  if (match.identical) {
    pair.relation = Relation::exact_copy;
    pair.sentence =
        match.all_tensors == 1
            ? "The one tensor is equal in 128-bit content hash, type and shape (bytes not compared)."
            : fmt::format(
                  "All {} tensors are equal in 128-bit content hash, type and shape (bytes not compared).",
                  match.all_tensors);
    return;
  }
  if (neurons != nullptr && judge_neurons(*neurons, pair)) {
    pair.sentence += hash_words(match);
    return;
  }
  if (neurons != nullptr && neurons->found->abstain == "no_anchor") {
    return abstain(
        pair, "no_anchor",
        fmt::format("The models have {} tokens in common, too few to compare their neurons from archives; "
                    "stemma trace does without.",
                    neurons->found->anchors) +
            hash_words(match));
  }
  if (curves != nullptr && curves->abstain == "too_few_layers") {
    return abstain(pair, "too_few_layers",
                   "At least one model has too few layers for a curve score to mean anything, and no test "
                   "with a valid null "
                   "hypothesis was made." +
                       hash_words(match));
  }
  if (curves != nullptr && std::isfinite(curves->score)) {
    return abstain(
        pair, "no_valid_null",
        "Only rankings are at hand: a curve score has no valid null hypothesis and decides nothing." +
            hash_words(match));
  }
  if (match.equal_tensors > 0) {
    return abstain(
        pair, "no_valid_null",
        "No test with a valid null hypothesis was made on the models as wholes." + hash_words(match));
  }
  const bool misaligned = curves != nullptr && curves->abstain == "unaligned";
  abstain(pair, misaligned ? "unaligned" : "unsupported",
          misaligned ? "The models have different numbers of layers and no alignment was allowed."
                     : "No test could be applied to this pair.");
}

namespace {

/// Numbers of the layers' differences, for sentences about pairs that no class fits.
std::string size_words(const OriginTrace& trace) {
  std::vector<double> deltas;
  for (const OriginReading& r : trace.readings)
    if (r.reading == "operator" && std::isfinite(r.delta)) deltas.push_back(r.delta);
  if (deltas.empty()) return "";
  std::ranges::sort(deltas);
  return fmt::format(" The attention circuits differ by {:.3g} of their size in the median layer.",
                     deltas[deltas.size() / 2]);
}

std::string equal_words(const Reencoding& content) {
  if (content.equal == 0) return "";
  return fmt::format(" {} of {} weights are equal.", content.equal, content.weights);
}

std::string abstention_words(const OriginTrace& trace) {
  if (!trace.obstacle.empty())
    return fmt::format("The difference of the weights was not read, because {}.", trace.obstacle);
  if (trace.abstain == "control_failed")
    return "Unlike layers of the two models agree as much as like ones, so an agreement says nothing.";
  if (trace.abstain == "unaligned")
    return "No map between the two models was found, neither by their embeddings nor by their neurons, so "
           "their layers cannot be compared in the same coordinates.";
  if (trace.abstain == "unreadable_quantisation")
    return fmt::format(
        "The difference of {} of {} weights is no larger than rounding to codes leaves it, or as even as "
        "that of rounding to fewer values, up to {:.2g} % of their size: no rank can be read below it.",
        trace.coarse, trace.changed, 100 * trace.coarse_update);
  if (trace.abstain == "dead_zone")
    return "The update sinks into the rounding of the stored weights without a gap: what is left of it "
           "cannot be "
           "ranked." +
           size_words(trace);
  return fmt::format("The layers disagree: no label holds for most of the {}.", trace.layers);
}

/// What was done to the coordinates, as far as the embeddings show it.
std::string coordinates_words(const OriginTrace& trace) {
  std::string words = trace.stream == name_of(StreamChange::orthogonal) ? "a rotation of the residual stream"
                      : trace.stream == name_of(StreamChange::signed_permutation)
                          ? "a permutation of the residual stream"
                          : "a change inside the layers";
  if (std::abs(trace.stream_scale - 1) > thresholds::origin_trained_scale)
    words += fmt::format(", times {:.3g}", trace.stream_scale);
  return words;
}

std::string same_function_words(const WeightFindings& found) {
  return fmt::format(
      "The same function in other coordinates (found: {}): all {} parts of both models, attention and MLP of "
      "every layer, embeddings and head, answer tokens alike within twice the rounding of their stored "
      "weights.",
      coordinates_words(found.origin), found.function.readings.size());
}

std::string answers_words(const SameFunction& function) {
  return fmt::format("all parts of the models {} of {} answer tokens alike within rounding.",
                     function.agreeing, function.readings.size());
}

/// How far the answers of all parts agree where the circuits of attention do.
std::string rest_words(const SameFunction& function) {
  if (!function.obstacle.empty())
    return fmt::format("the rest was not compared in other coordinates, because {}.", function.obstacle);
  if (function.readings.empty()) return "the rest was not compared in other coordinates.";
  if (function.control.subject.empty() || function.control.agrees)
    return "the rest has no control: unlike layers, of which there are none, or which answer alike.";
  return "of " + answers_words(function);
}

/// What a trace without an update of low rank says about the difference of two models, which raises no class.
std::string size_of_difference(const WeightFindings& found) {
  const OriginTrace& trace = found.origin;
  if (!trace.abstain.empty())
    return abstention_words(trace) + equal_words(found.content) +
           (found.function.readings.empty() ? "" : " Of " + answers_words(found.function));
  if (trace.label == name_of(OriginLabel::unrelated_here))
    return fmt::format("The attention circuits of {} of {} layers differ as much as those of strangers.",
                       trace.agreeing, trace.layers);
  if (trace.label == name_of(OriginLabel::identical))
    return "The value and output circuits of attention agree within rounding; " + rest_words(found.function);
  return "The weights differ by an update of full rank." + size_words(trace);
}

/// What was rounded to another type; `first` is the model that came first, where that is seen.
std::string rounded_words(const Reencoding& content, const std::string& first) {
  if (content.direction == 0)
    return fmt::format(
        "Equal up to storage in {}: {} of {} weights are equal after rounding, the others are the same bits; "
        "which model came first, rounding does not show.",
        content.coarser, content.rounded, content.weights);
  return fmt::format(
      "Equal up to storage in {}: {} of {} weights are those of {} rounded, the others are the same bits.",
      content.coarser, content.rounded, content.weights, first);
}

/// What was rounded to codes. A difference that is smaller than that cannot be seen, and is not denied.
std::string quantised_words(const Reencoding& content, const std::string& first) {
  const std::uint64_t others = content.equal + content.rounded;
  return fmt::format(
      "Equal up to storage in {}: in {} of {} weights {} elements are as near as rounding to these codes "
      "leaves them (in other rows of {} at most {:.2g} %){}. {} "
      "What is smaller than that rounding cannot be seen.",
      content.coarser, content.quantised, content.weights,
      content.nearest < 1 ? fmt::format("at least {:.4g} % of the", 100 * content.nearest) : "all",
      content.telling == content.quantised ? "the same weights"
                                           : fmt::format("{} of these weights", content.telling),
      100 * content.farthest_control,
      others > 0 ? fmt::format(", the other {} are equal, or equal after rounding", others) : "",
      content.direction == 0 ? "Which model came first, codes do not show."
                             : fmt::format("The numbers of {}, or others that these codes cannot tell from "
                                           "them, came first.",
                                           first));
}

/// Holds what neurons of all weights say against what those of the archives said: the more cautious stays,
/// and of two that exclude each other none.
void settle(const Pair& by_archives, Pair& pair) {
  if (!decided_by_neurons(by_archives) || pair.reason == "conflicting") return;
  const auto lineage = [](const Pair& p) {
    return p.relation == Relation::same_lineage || p.relation == Relation::partial_lineage;
  };
  const bool open = pair.reason == "shared_init_undecided";
  if ((lineage(by_archives) && pair.relation == Relation::shared_init) ||
      (by_archives.relation == Relation::shared_init && lineage(pair)))
    return abstain(
        pair, "conflicting",
        pair.sentence + " Attention, as archives keep it, says otherwise: " + by_archives.sentence);
  if (open || by_archives.relation == Relation::partial_lineage) pair = by_archives;
}

}  // namespace

bool function_in_question(const OriginTrace& trace, const Reencoding& content) {
  if (!trace.obstacle.empty()) return false;
  for (const char* reason : {"control_failed", "unaligned", "unsupported"})
    if (trace.abstain == reason) return false;
  if (content.all_equal() || content.all_rounded() || !low_rank_words(trace).empty()) return false;
  bool moved = trace.stream != name_of(StreamChange::identity);
  for (const OriginReading& r : trace.readings) {
    if (r.reading == "operator" && !(r.delta <= thresholds::same_function_circuits)) return false;
    moved |= r.reading == "tensor" && r.delta >= thresholds::same_function_moved;
  }
  return moved;
}

std::vector<Evidence> weight_evidence(const WeightFindings& found) {
  std::vector<Evidence> rows = origin_evidence(found.origin);
  rows.push_back(reencoding_evidence(found.content));
  std::ranges::move(same_function_evidence(found.function), std::back_inserter(rows));
  std::ranges::move(aligned_neurons_evidence(found.neurons), std::back_inserter(rows));
  std::ranges::move(aligned_heads_evidence(found.heads), std::back_inserter(rows));
  return rows;
}

namespace {

void judge_by_weights(const WeightFindings& found, bool base_is_a, Pair& pair) {
  const OriginTrace& trace = found.origin;
  const Reencoding& content = found.content;
  if (pair.relation == Relation::exact_copy || pair.reason == "random_init") return;
  const auto say = [&](Relation relation, std::string sentence) {
    pair.relation = relation;
    pair.reason.clear();
    pair.sentence = std::move(sentence);
  };
  if (content.all_equal())
    return say(Relation::exact_copy,
               fmt::format("All {} weights are equal in 128-bit content hash (bytes not compared).",
                           content.weights));
  // Codes hide small updates, but not from whoever looks for a low rank.
  const std::string low_rank = trace.abstain.empty() ? low_rank_words(trace) : "";
  if (content.all_rounded() && (content.quantised == 0 || low_rank.empty())) {
    pair.direction = base_is_a ? content.direction : -content.direction;
    const std::string& first = content.direction < 0 ? trace.candidate : trace.base;
    return say(Relation::reencoded_copy,
               content.quantised > 0 ? quantised_words(content, first) : rounded_words(content, first));
  }
  if (found.function.all_agree()) return say(Relation::reparametrised_copy, same_function_words(found));
  if (!low_rank.empty()) return say(Relation::low_rank_related, fmt::format("Differs by {}.", low_rank));
  const Pair by_archives = pair;
  if (judge_lineage(found.neurons, trace, pair)) {
    pair.direction = 0;  // the sentence of the archives, which said why, is gone
    settle(by_archives, pair);
    pair.sentence += " " + size_of_difference(found);
    return;
  }
  if (decided_by_neurons(pair)) {
    if (trace.label != name_of(OriginLabel::unrelated_here) || pair.relation == Relation::shared_init) return;
    return abstain(pair, "conflicting", pair.sentence + " " + size_of_difference(found));
  }
  if (!trace.abstain.empty() && pair.relation == Relation::no_evidence) return;  // a test of neurons was made
  if (!trace.abstain.empty()) return abstain(pair, trace.abstain, size_of_difference(found));
  if (trace.label == name_of(OriginLabel::unrelated_here))
    return say(Relation::no_evidence,
               fmt::format("No evidence against independent initialisation (tests: content, reencoding, "
                           "origin_tracer{}). {}",
                           found.neurons.read > 0 ? ", aligned_neurons" : "", size_of_difference(found)));
  abstain(pair, "no_valid_null",
          size_of_difference(found) + (found.neurons.read > 0
                                           ? " Neurons show nothing against independent initialisation."
                                           : " No test with a valid null hypothesis was made."));
}

}  // namespace

void judge_weights(const WeightFindings& found, bool base_is_a, Pair& pair) {
  judge_by_weights(found, base_is_a, pair);
  // What neurons showed about the order goes with the class that it was said for.
  const bool ordered = pair.relation == Relation::same_lineage ||
                       pair.relation == Relation::partial_lineage ||
                       pair.relation == Relation::reencoded_copy;
  if (!ordered) pair.direction = 0;
}

}  // namespace stemma
