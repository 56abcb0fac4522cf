// Declarations and cheap scores only choose what is looked at; they are no evidence.
#include "pipeline/candidates.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "analyzers/judge_neurons.hpp"
#include "analyzers/thresholds.hpp"
#include "pipeline/pair_view.hpp"

namespace stemma {

namespace {

std::set<std::string> equal_roles(const Fingerprint& a, const Fingerprint& b) {
  std::map<std::string, const TensorMark*> of_a;
  for (const TensorMark& mark : a.tensors)
    if (mark.known) of_a.emplace(mark.role, &mark);
  std::set<std::string> roles;
  for (const TensorMark& mark : b.tensors) {
    const auto other = of_a.find(mark.role);
    if (mark.known && other != of_a.end() && content_key(mark) == content_key(*other->second))
      roles.insert(mark.role);
  }
  return roles;
}

double or_zero(double value) { return std::isfinite(value) ? value : 0; }

}  // namespace

ChosenPairs choose_pairs(std::span<const SurveyedModel> models, std::span<const Fingerprint> fingerprints,
                         const Comparison& comparison, const TracePlan& plan) {
  std::set<std::pair<std::string, std::string>> listed;
  for (const auto& [a, b] : plan.listed) listed.insert(std::minmax(a, b));
  std::vector<std::tuple<bool, double, double, std::size_t>> chosen;  // worst first
  for (std::size_t i = 0; i < comparison.size(); ++i) {
    const Pair& pair = comparison.pairs()[i];
    const Fingerprint &a = fingerprints[pair.a], &b = fingerprints[pair.b];
    if (!models[pair.a].model || !models[pair.b].model) continue;
    if (a.use != Use::subject && b.use != Use::subject) continue;
    if (pair.relation == Relation::exact_copy || pair.reason == "random_init") continue;
    const PairNumbers& numbers = comparison.numbers(i);
    const bool declared = declares(a, b) || declares(b, a);
    const bool alike = numbers.equal_tensors > 0 || numbers.permuted_share > 0 ||
                       pair.curve_score >= thresholds::score_inconclusive || decided_by_neurons(pair);
    const bool wanted =
        plan.which == TracePlan::Which::all ||
        (plan.which == TracePlan::Which::listed && listed.contains(std::minmax(a.id, b.id))) ||
        (plan.which == TracePlan::Which::declared && declared) ||
        (plan.which == TracePlan::Which::candidates && (declared || alike));
    if (wanted) chosen.emplace_back(!declared, -or_zero(numbers.equal_share), -or_zero(pair.curve_score), i);
  }
  std::ranges::sort(chosen);
  ChosenPairs out;
  if (chosen.size() > plan.max_pairs) {
    out.left_out = chosen.size() - plan.max_pairs;
    chosen.resize(plan.max_pairs);
  }
  for (const auto& [not_declared, share, score, i] : chosen) {
    const Pair& pair = comparison.pairs()[i];
    const bool b_is_base = declares(fingerprints[pair.a], fingerprints[pair.b]);
    out.pairs.push_back({b_is_base ? pair.b : pair.a, b_is_base ? pair.a : pair.b,
                         equal_roles(fingerprints[pair.a], fingerprints[pair.b])});
  }
  return out;
}

}  // namespace stemma
