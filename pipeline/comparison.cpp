#include "pipeline/comparison.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "analyzers/catalogue.hpp"
#include "io/config/problems.hpp"
#include "io/report/tsv.hpp"

namespace stemma {
namespace {

/// Does this plan ask about the pair of models a < b?
class Choice {
 public:
  Choice(const std::vector<Fingerprint>& models, const ComparisonPlan& plan) : models_(models), which_(plan.which) {
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
  const std::vector<Fingerprint>& models_;
  ComparisonPlan::Which which_;
  std::set<std::pair<std::string, std::string>> listed_;
  std::vector<std::size_t> components_;
};

Pair compare_two(const std::vector<Fingerprint>& models, std::size_t a, std::size_t b, const ComparisonPlan& plan) {
  Pair pair;
  pair.a = static_cast<std::uint32_t>(a);
  pair.b = static_cast<std::uint32_t>(b);
  for (const PairTest* test : pair_tests()) {
    const auto options = plan.tests.find(std::string(test->name()));
    if (options == plan.tests.end()) continue;
    auto rows = test->compare(models[a], models[b], options->second);
    pair.evidence.insert(pair.evidence.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
    ++pair.tests;
  }
  return pair;
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

Comparison compare(const std::vector<Fingerprint>& models, const ComparisonPlan& plan) {
  Comparison result;
  const Choice choice(models, plan);
  for (std::size_t a = 0; a < models.size(); ++a)
    for (std::size_t b = a + 1; b < models.size(); ++b)
      if (choice.takes(a, b)) result.pairs.push_back(compare_two(models, a, b, plan));
  if (plan.background == "corpus") {
    result.background = corpus_background(models, result.pairs);
  } else if (plan.background != "none") {
    result.background = read_background_table(plan.background);
  }
  rank_in_background(result.background, models, result.pairs);
  for (Pair& pair : result.pairs) judge(models[pair.a], models[pair.b], pair);
  result.verdicts = model_verdicts(models, result.pairs);
  return result;
}

}  // namespace stemma
