// All pairs are judged first; the background and the evidence of single pairs come from what was judged.
#include "pipeline/comparison.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <set>

#include "analyzers/catalogue.hpp"
#include "analyzers/content_pair.hpp"
#include "io/config/problems.hpp"
#include "io/report/tsv.hpp"
#include "pipeline/pair_view.hpp"

namespace stemma {
namespace {

/// Does this plan ask about the pair of models a < b?
class Choice {
 public:
  Choice(std::span<const Fingerprint> models, const ComparisonPlan& plan)
      : models_(models), which_(plan.which) {
    for (const auto& [a, b] : plan.listed) listed_.insert(std::minmax(a, b));
    if (which_ == ComparisonPlan::Which::declared) components_ = declared_components(models);
  }

  bool takes(std::size_t a, std::size_t b) const {
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

Comparison::Comparison(std::span<const Fingerprint> models, ComparisonPlan plan,
                       std::span<const Fingerprint> company)
    : models_(models), plan_(std::move(plan)) {
  for (const PairTest* test : pair_tests()) {
    const auto options = plan_.tests.find(std::string(test->name()));
    if (options == plan_.tests.end()) continue;
    Chosen& chosen = tests_.emplace_back();
    chosen.fitted = test->fitted(company.empty() ? models_ : company);
    chosen.test = chosen.fitted ? chosen.fitted.get() : test;
    chosen.options = options->second;
  }
  const Choice choice(models_, plan_);
  if (plan_.which == ComparisonPlan::Which::all && !models_.empty()) {
    pairs_.reserve(models_.size() * (models_.size() - 1) / 2);
    numbers_.reserve(pairs_.capacity());
  }
  for (std::size_t a = 0; a < models_.size(); ++a)
    for (std::size_t b = a + 1; b < models_.size(); ++b) {
      if (!choice.takes(a, b)) continue;
      Pair pair = test(a, b);
      numbers_.push_back(numbers_of(models_[a], models_[b], pair));
      pair.evidence = std::vector<Evidence>();  // not {}, which keeps the memory
      pair.sentence = std::string();
      pairs_.push_back(std::move(pair));
    }
  weigh();
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

Pair Comparison::test(std::size_t a, std::size_t b) const {
  Pair pair;
  pair.a = static_cast<std::uint32_t>(a);
  pair.b = static_cast<std::uint32_t>(b);
  for (const Chosen& chosen : tests_) {
    auto rows = chosen.test->compare(models_[a], models_[b], chosen.options);
    std::move(rows.begin(), rows.end(), std::back_inserter(pair.evidence));
    ++pair.tests;
  }
  judge(models_[a], models_[b], pair);
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

Pair* Comparison::find(std::uint32_t a, std::uint32_t b) {
  const auto models_of = [](const Pair& pair) { return Models(pair.a, pair.b); };
  const auto at = std::ranges::lower_bound(pairs_, Models(a, b), {}, models_of);
  return at != pairs_.end() && models_of(*at) == Models(a, b) ? &*at : nullptr;
}

void Comparison::confirm(std::vector<PairTrace> traces) {
  std::vector<WeightVerdict> verdicts;
  for (PairTrace& trace : traces) {
    const Models models = std::minmax(trace.base, trace.candidate);
    if (!find(models.first, models.second)) continue;
    Pair pair = test(models.first, models.second);
    judge_weights(trace, trace.base == pair.a, pair);
    verdicts.push_back({models.first, models.second, weight_evidence(trace), pair.relation, pair.reason,
                        pair.sentence, pair.direction});
    traces_.insert_or_assign(models, std::move(trace));
  }
  recall(std::move(verdicts));
}

void Comparison::recall(std::vector<WeightVerdict> verdicts) {
  for (WeightVerdict& verdict : verdicts) {
    Pair* pair = find(verdict.a, verdict.b);
    if (!pair) continue;
    const Models models(verdict.a, verdict.b);
    said_.insert_or_assign(models, std::move(verdict));
    *pair = test(models.first, models.second);
    pair->evidence = std::vector<Evidence>();
    pair->sentence = std::string();
  }
  weigh();
}

const PairTrace* Comparison::trace(std::size_t index) const {
  const auto found = traces_.find({pairs_[index].a, pairs_[index].b});
  return found == traces_.end() ? nullptr : &found->second;
}

Pair Comparison::with_evidence(std::size_t index) const {
  Pair pair = test(pairs_[index].a, pairs_[index].b);
  rank_in_background(background_, models_, pair);
  if (pairs_.size() > most_detailed_pairs)
    std::erase_if(pair.evidence, [](const Evidence& e) { return !e.role.empty(); });
  return pair;
}

}  // namespace stemma
