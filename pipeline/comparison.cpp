// All pairs are judged first; the background and the evidence of single pairs come from what was judged.
#include "pipeline/comparison.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <set>
#include <tuple>

#include "analyzers/catalogue.hpp"
#include "analyzers/content_pair.hpp"
#include "analyzers/neuron_background.hpp"
#include "analyzers/neuron_evidence.hpp"
#include "analyzers/numerics/false_discovery.hpp"
#include "io/config/problems.hpp"
#include "io/report/tsv.hpp"
#include "pipeline/pair_view.hpp"

namespace stemma {
namespace {

/// Does this plan ask about the pair of models a < b?
class PairChoice {
 public:
  PairChoice(std::span<const Fingerprint> models, const ComparisonPlan& plan)
      : models_(models), which_(plan.which) {
    for (const auto& [a, b] : plan.listed) listed_.insert(std::minmax(a, b));
    if (which_ == ComparisonPlan::Which::declared) components_ = declared_components(models);
    for (const Fingerprint& model : models)
      known_.push_back(std::ranges::binary_search(plan.known, model.id));
  }

  bool takes(std::size_t a, std::size_t b) const {
    if (known_[a] && known_[b]) return false;
    switch (which_) {
      case ComparisonPlan::Which::all:
        return true;
      case ComparisonPlan::Which::declared:
        return components_[a] == components_[b];
      case ComparisonPlan::Which::reference:
        return models_[a].use == Use::reference || models_[b].use == Use::reference;
      case ComparisonPlan::Which::listed:
        return listed_.contains(std::minmax(models_[a].id, models_[b].id));
    }
    return false;
  }

 private:
  std::span<const Fingerprint> models_;
  ComparisonPlan::Which which_;
  std::set<std::pair<std::string, std::string>> listed_;
  std::vector<std::size_t> components_;
  std::vector<bool> known_;  ///< from another archive
};

PairNumbers numbers_of(const Fingerprint& a, const Fingerprint& b, const Pair& pair) {
  const ContentMatch match = match_content(a, b);
  const Evidence* permuted = headline(pair, "histogram");
  const Evidence* curves = headline(pair, "intrinsic_fingerprint");
  return {.equal_tensors = match.equal_tensors,
          .equal_bytes = match.equal_bytes,
          .equal_share = match.share(),
          .permuted_share = permuted ? permuted->score : missing,
          .twin_score = curves ? curves->control : missing};
}

/// A score of a table; NaN for what is no number.
double number_in(const std::string& text) {
  double value = missing;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : missing;
}

}  // namespace

Background read_background_table(const std::string& path) {
  std::map<std::string, std::vector<double>> values;
  for (const auto& row : read_tsv(path, {"stratum", "score"})) values[row[0]].push_back(number_in(row[1]));
  try {
    return table_background(path, values);
  } catch (const std::invalid_argument& error) {
    throw ConfigProblems({Problem{.file = path, .message = error.what()}});
  }
}

std::vector<std::pair<std::string, std::string>> read_pair_list(const std::string& path) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& row : read_tsv(path, {"a", "b"})) pairs.emplace_back(row[0], row[1]);
  return pairs;
}

ModelPairs chosen_pairs(std::span<const Fingerprint> models, const ComparisonPlan& plan) {
  const PairChoice choice(models, plan);
  ModelPairs pairs;
  if (plan.which == ComparisonPlan::Which::all && !models.empty())
    pairs.reserve(models.size() * (models.size() - 1) / 2);
  for (std::uint32_t a = 0; a < models.size(); ++a)
    for (std::uint32_t b = a + 1; b < models.size(); ++b)
      if (choice.takes(a, b)) pairs.emplace_back(a, b);
  return pairs;
}

Comparison::Comparison(std::span<const Fingerprint> models, ComparisonPlan plan,
                       std::span<const Fingerprint> company, std::vector<NeuronAgreement> neurons,
                       DoneCount* judged)
    : models_(models), plan_(std::move(plan)) {
  for (const PairTest* test : pair_tests()) {
    const auto options = plan_.tests.find(std::string(test->name()));
    if (options == plan_.tests.end()) continue;
    Chosen& chosen = tests_.emplace_back();
    chosen.fitted = test->fitted(company.empty() ? models_ : company);
    chosen.test = chosen.fitted ? chosen.fitted.get() : test;
    chosen.options = options->second;
  }
  const ModelPairs chosen = chosen_pairs(models_, plan_);
  pairs_.resize(chosen.size());
  for (std::size_t i = 0; i < chosen.size(); ++i) std::tie(pairs_[i].a, pairs_[i].b) = chosen[i];
  if (plan_.tests.contains("neuron_match")) weigh_neurons(std::move(neurons));
  numbers_.reserve(pairs_.size());
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    Pair pair = test(i);
    numbers_.push_back(numbers_of(models_[pair.a], models_[pair.b], pair));
    pair.evidence = std::vector<Evidence>();  // not {}, which keeps the memory
    pair.sentence = std::string();
    pairs_[i] = std::move(pair);
    count_one(judged);
  }
  weigh();
  hold_against_independent(company.empty() ? models_ : company);
}

/// Only models of pairs without a reference are asked.
void Comparison::hold_against_independent(std::span<const Fingerprint> company) {
  std::vector<const Fingerprint*> references;
  for (const std::size_t m : independent_models(company, plan_.independent))
    references.push_back(&company[m]);
  if (references.empty()) return;
  std::vector<bool> is_reference, asked(models_.size());
  for (const Fingerprint& model : models_)
    is_reference.push_back(
        std::ranges::any_of(references, [&](const Fingerprint* r) { return r->id == model.id; }));
  for (const Pair& pair : pairs_)
    if (!is_reference[pair.a] && !is_reference[pair.b]) asked[pair.a] = asked[pair.b] = true;
  std::vector<std::string> methods;
  for (const char* method : {"intrinsic_fingerprint", "neuron_match"})
    if (plan_.tests.contains(method)) methods.emplace_back(method);
  references_ = ReferenceScores(models_, std::move(references), asked, methods,
                                [this](std::string_view method, const Fingerprint& reference,
                                       std::size_t model) { return score_beside(method, reference, model); });
}

/// The headline score of a reference and a model: that of their pair where it was chosen, else found here.
double Comparison::score_beside(std::string_view method, const Fingerprint& reference,
                                std::size_t model) const {
  const bool neurons = method == "neuron_match";
  const auto at = std::ranges::lower_bound(models_, reference.id, {}, &Fingerprint::id);
  if (at != models_.end() && at->id == reference.id) {
    const auto [a, b] =
        std::minmax({static_cast<std::uint32_t>(at - models_.begin()), static_cast<std::uint32_t>(model)});
    if (const auto index = index_of(a, b))
      return neurons ? neurons_[*index].share : pairs_[*index].curve_score;
  }
  if (neurons) return compare_neurons_of(reference, models_[model], plan_.rule.share).share;
  const auto chosen = std::ranges::find(tests_, method, [](const Chosen& c) { return c.test->name(); });
  return chosen->test->compare(reference, models_[model], chosen->options).front().score;
}

void Comparison::weigh_neurons(std::vector<NeuronAgreement> found) {
  neurons_ = std::move(found);
  if (neurons_.empty())
    for (const Pair& pair : pairs_) {
      neurons_.push_back(compare_neurons_of(models_[pair.a], models_[pair.b], plan_.rule.share));
      if (pairs_.size() > most_detailed_pairs) neurons_.back().blocks = std::vector<BlockAgreement>();
    }
  std::vector<double> log_p;
  for (const NeuronAgreement& agreement : neurons_) {
    log_p.push_back(agreement.log_p_places);
    log_p.push_back(agreement.log_p_robust);
  }
  neuron_levels_ = log_discovery_levels(log_p, log_p.size());
}

NeuronStanding Comparison::standing(std::size_t index) const {
  const Pair& pair = pairs_[index];
  return {&neurons_[index],
          neuron_levels_[2 * index],
          neuron_levels_[2 * index + 1],
          neuron_levels_.size(),
          models_[pair.a].id,
          models_[pair.b].id,
          plan_.rule};
}

void Comparison::weigh() {
  // After judging: a pair that was found related is no example of unrelated models.
  if (plan_.background == "corpus") {
    background_ = filled_from_published(corpus_background(models_, pairs_));
  } else if (plan_.background == "published") {
    background_ = published_background();
  } else if (plan_.background != "none") {
    background_ = read_background_table(plan_.background);
  }
  verdicts_ = model_verdicts(models_, pairs_, background_);
  if (plan_.check_declarations) return;
  for (ModelVerdict& verdict : verdicts_) {
    verdict.declaration = Declaration::none;
    verdict.declaration_reason.clear();
  }
}

Pair Comparison::test(std::size_t index) const {
  Pair pair;
  pair.a = pairs_[index].a;
  pair.b = pairs_[index].b;
  const Fingerprint &a = models_[pair.a], &b = models_[pair.b];
  for (const Chosen& chosen : tests_) {
    auto rows = chosen.test->name() == "neuron_match" ? neuron_evidence(neurons_[index], a, b)
                                                      : chosen.test->compare(a, b, chosen.options);
    std::move(rows.begin(), rows.end(), std::back_inserter(pair.evidence));
    ++pair.tests;
  }
  const NeuronStanding neurons = neurons_.empty() ? NeuronStanding{} : standing(index);
  judge(a, b, pair, neurons.found != nullptr ? &neurons : nullptr);
  if (const auto said = said_.find({pair.a, pair.b}); said != said_.end()) {
    const WeightVerdict& weights = said->second;
    pair.evidence.insert(pair.evidence.end(), weights.evidence.begin(), weights.evidence.end());
    pair.tests += 2;
    pair.relation = weights.relation;
    pair.reason = weights.reason;
    pair.sentence = weights.sentence;
    pair.direction = weights.direction;
  }
  return pair;
}

std::optional<std::size_t> Comparison::index_of(std::uint32_t a, std::uint32_t b) const {
  const auto models_of = [](const Pair& pair) { return Models(pair.a, pair.b); };
  const auto at = std::ranges::lower_bound(pairs_, Models(a, b), {}, models_of);
  if (at == pairs_.end() || models_of(*at) != Models(a, b)) return std::nullopt;
  return static_cast<std::size_t>(at - pairs_.begin());
}

void Comparison::confirm(std::vector<PairTrace> traces) {
  std::vector<WeightVerdict> verdicts;
  for (PairTrace& trace : traces) {
    const Models models = std::minmax(trace.base, trace.candidate);
    const auto index = index_of(models.first, models.second);
    if (!index) continue;
    Pair pair = test(*index);
    judge_weights(trace, trace.base == pair.a, pair);
    verdicts.push_back({models.first, models.second, weight_evidence(trace), pair.relation, pair.reason,
                        pair.sentence, pair.direction});
    traces_.insert_or_assign(models, std::move(trace));
  }
  recall(std::move(verdicts));
}

void Comparison::recall(std::vector<WeightVerdict> verdicts) {
  for (WeightVerdict& verdict : verdicts) {
    const auto index = index_of(verdict.a, verdict.b);
    if (!index) continue;
    said_.insert_or_assign(Models(verdict.a, verdict.b), std::move(verdict));
    Pair& pair = pairs_[*index];
    pair = test(*index);
    pair.evidence = std::vector<Evidence>();
    pair.sentence = std::string();
  }
  weigh();
}

const PairTrace* Comparison::trace(std::size_t index) const {
  const auto found = traces_.find({pairs_[index].a, pairs_[index].b});
  return found == traces_.end() ? nullptr : &found->second;
}

Pair Comparison::with_evidence(std::size_t index) const {
  Pair pair = test(index);
  rank_in_background(background_, models_, pair);
  if (plan_.background != "none" && !neurons_.empty())
    rank_in_neuron_background(neurons_[index], models_, pair);
  if (pairs_.size() > most_detailed_pairs)
    std::erase_if(pair.evidence, [](const Evidence& e) { return !e.role.empty() && e.role != "places"; });
  std::ranges::move(references_.rows(pair), std::back_inserter(pair.evidence));
  return pair;
}

}  // namespace stemma
