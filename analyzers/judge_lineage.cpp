// Neurons say whether two models started apart, kappa whether they ended apart.
#include "analyzers/judge_lineage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "analyzers/numerics/combined_tests.hpp"
#include "analyzers/numerics/log_probability.hpp"
#include "analyzers/origin_alignment.hpp"
#include "analyzers/origin_rank.hpp"
#include "analyzers/origin_summary.hpp"
#include "analyzers/stream_alignment.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

/// p-values that were paid for: of two tests the better one, of all pairs this one.
struct Lineage {
  double log_p_places = 0, log_p_robust = 0, log_level = 0;

  explicit Lineage(const AlignedNeurons& found) {
    const auto pay = [&](double log_p) {
      return log_best_of(log_p, 2 * std::max<std::uint64_t>(found.pairs, 1));
    };
    if (!found.sorted) log_p_places = pay(found.log_p_places);
    if (found.rule.holds_for(found.agreeing_layers, found.read)) log_p_robust = pay(found.log_p_robust);
    log_level = std::log(found.rule.level);
  }
  bool by_places() const { return log_p_places <= log_level; }
  bool significant() const { return by_places() || log_p_robust <= log_level; }
};

bool control_failed(const AlignedNeurons& found) {
  return !found.control.subject.empty() && found.control.share() >= thresholds::universal_neurons;
}

std::string p_words(const AlignedNeurons& found) {
  const Lineage lineage(found);
  const bool places = lineage.by_places();
  const std::string seen =
      places ? fmt::format("{} of {} matched neurons stand at the same place", found.fixed, found.labelled)
             : fmt::format("two matchings agree on {:.0f} % of the neurons in the median layer",
                           100 * found.share);
  return fmt::format(
      "The weights are inconsistent with independent initialisation, p = 10^{:.1f} (grade {}, null: "
      "independent random initialisations): {}, of {} layers{}.",
      as_log10(places ? lineage.log_p_places : lineage.log_p_robust), places ? "G" : "M", seen, found.read,
      found.coordinates == by_other_neurons ? ", in coordinates that neurons of other layers gave" : "");
}

/// "kappa 1.01 at a bulk cosine of 0.97 (calibrated on small models only)".
std::string kappa_words(const AlignedNeurons& found) {
  if (std::isnan(found.kappa()))
    return "kappa has no value, because no weight stands out of its noise in both models";
  return fmt::format("kappa {:.2f} at a bulk cosine of {:.2f} (calibrated on small models only)",
                     found.kappa(), found.bulk);
}

enum class Kappa : std::uint8_t { descent, shared_start, undecided };

Kappa read_kappa(const AlignedNeurons& found) {
  if (!(found.bulk >= thresholds::kappa_bulk)) return Kappa::undecided;
  if (found.kappa() >= thresholds::kappa_descent) return Kappa::descent;
  return found.kappa() <= thresholds::kappa_shared ? Kappa::shared_start : Kappa::undecided;
}

}  // namespace

bool lineage_in_question(const OriginTrace& trace, const Reencoding& content) {
  if (content.all_equal() || content.all_rounded()) return false;
  return !trace.abstain.empty() || low_rank_words(trace).empty();
}

bool inconsistent_with_independence(const AlignedNeurons& found) {
  return found.read > 0 && !control_failed(found) && Lineage(found).significant();
}

bool judge_lineage(const AlignedNeurons& found, const OriginTrace& trace, Pair& pair) {
  const bool codes = trace.abstain == "unreadable_quantisation" && !trace.obstacle.empty();
  if (trace.abstain == "control_failed" || codes) return false;
  if (!inconsistent_with_independence(found)) return false;
  const auto say = [&](Relation relation, const char* reason, std::string sentence) {
    pair.relation = relation;
    pair.reason = reason;
    pair.sentence = std::move(sentence);
    return true;
  };
  const Kappa kappa = read_kappa(found);
  const bool strangers =
      trace.label == name_of(OriginLabel::unrelated_here) && trace.stream != name_of(StreamChange::unaligned);
  if (strangers && kappa != Kappa::shared_start)
    return say(Relation::abstain, "conflicting",
               p_words(found) + " The circuits of attention say otherwise.");
  switch (kappa) {
    case Kappa::descent:
      return say(Relation::same_lineage, "",
                 p_words(found) + " Descent rather than a shared start alone: " + kappa_words(found) + ".");
    case Kappa::shared_start:
      return say(Relation::shared_init, "",
                 "Consistent with a shared initialisation and separate training: " + kappa_words(found) +
                     ". " + p_words(found));
    case Kappa::undecided:
      break;
  }
  return say(Relation::abstain, "shared_init_undecided",
             p_words(found) + " Whether by descent or by a shared start alone is not decided: " +
                 kappa_words(found) + ".");
}

}  // namespace stemma
