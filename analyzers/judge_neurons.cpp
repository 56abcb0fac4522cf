// A p-value says that two models are no strangers; whether one descends from the other or both only started
// alike is another question, which attention answers.
#include "analyzers/judge_neurons.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analyzers/map_words.hpp"
#include "analyzers/numerics/log_probability.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {
namespace {

/// "p = 10^-1491.6 (grade G, places of neurons; ...)", of the stronger of both tests.
std::string p_words(const NeuronStanding& standing) {
  const NeuronAgreement& found = *standing.found;
  const bool places = standing.log_level_places <= standing.log_level_robust;
  return fmt::format(
      "p = 10^{:.1f} (grade {}; null: independent random initialisations; corrected for {} tests 10^{:.1f})",
      as_log10(places ? found.log_p_places : found.log_p_robust), places ? "G" : "M", standing.tests,
      as_log10(places ? standing.log_level_places : standing.log_level_robust));
}

std::string blocks_words(const NeuronAgreement& found) {
  const bool all = found.compared_blocks == std::min(found.blocks_a, found.blocks_b);
  return fmt::format("neurons agree in {} of {} MLPs{}", found.agreeing_blocks, found.compared_blocks,
                     all ? "" : " that were compared");
}

std::string attention_words(const NeuronAgreement& found) {
  if (std::isnan(found.kinship())) return "attention could not be compared";
  return fmt::format("attention readings correlate at {:.2f} where answers of these neurons do at {:.2f}",
                     found.attention, found.likeness);
}

/// " Layers 0 and 1 of ...", or nothing where all stand where they stood.
std::string map_sentence(const NeuronStanding& standing) {
  const std::string words = map_words(standing.found->map, standing.a, standing.b);
  return words.empty() ? "" : " " + words;
}

void say(Pair& pair, Relation relation, std::string reason, std::string sentence) {
  pair.relation = relation;
  pair.reason = std::move(reason);
  pair.sentence = std::move(sentence);
}

void judge_relatives(const NeuronStanding& standing, Pair& pair) {
  const NeuronAgreement& found = *standing.found;
  const std::string evidence =
      fmt::format("The weights are inconsistent with independent initialisation, {}: {}, {}",
                  p_words(standing), blocks_words(found), attention_words(found));
  constexpr std::string_view remark = "limits set by small models";
  if (found.kinship() <= thresholds::kinship_of_shared_start)
    return say(pair, Relation::shared_init, "",
               fmt::format("Consistent with a shared initialisation and separate training. {} ({}).{}",
                           evidence, remark, map_sentence(standing)));
  if (!(found.kinship() >= thresholds::kinship_of_descent))  // unknown, too
    return say(
        pair, Relation::abstain, "shared_init_undecided",
        fmt::format("{}; whether one descends from the other or both only started alike is open ({}).{}",
                    evidence, remark, map_sentence(standing)));
  const bool whole = standing.rule.holds_for(found.agreeing_blocks, found.compared_blocks);
  say(pair, whole ? Relation::same_lineage : Relation::partial_lineage, "",
      fmt::format("{}, as between a model and its descendants ({}).{} {}", evidence, remark,
                  map_sentence(standing), order_words(found.map, standing.a, standing.b)));
  pair.direction = found.map.direction();
}

}  // namespace

bool judge_neurons(const NeuronStanding& standing, Pair& pair) {
  const NeuronAgreement& found = *standing.found;
  if (!found.abstain.empty()) return false;
  pair.log10_p = as_log10(std::min(found.log_p_places, found.log_p_robust));
  pair.log10_p_corrected = as_log10(std::min(standing.log_level_places, standing.log_level_robust));
  const double enough = std::log(standing.rule.level);
  const bool places = standing.log_level_places <= enough,
             robust = standing.log_level_robust <= enough && found.agreeing_blocks > 0;
  if (places || robust) {
    judge_relatives(standing, pair);
    return true;
  }
  if (!found.telling) return false;
  say(pair, Relation::no_evidence, "",
      fmt::format(
          "No evidence against independent initialisation (tests: content, neuron_match over {} tokens): {}.",
          found.anchors, blocks_words(found)));
  return true;
}

bool decided_by_neurons(const Pair& pair) {
  return pair.relation == Relation::same_lineage || pair.relation == Relation::partial_lineage ||
         pair.relation == Relation::shared_init || pair.reason == "shared_init_undecided";
}

}  // namespace stemma
