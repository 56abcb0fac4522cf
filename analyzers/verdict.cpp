// What may be said about a pair of models, given the evidence?
#include "analyzers/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analyzers/content_pair.hpp"

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

void judge(const Fingerprint& a, const Fingerprint& b, Pair& pair) {
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

}  // namespace stemma
