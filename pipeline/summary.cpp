// Plain columns, one line for each model, and the sentences that must stand beside them.
#include "pipeline/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "analyzers/content_pair.hpp"
#include "analyzers/curve_score.hpp"
#include "analyzers/tensorguard_groups.hpp"
#include "io/report/columns.hpp"
#include "pipeline/pair_text.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

std::string score_words(double score) { return std::isnan(score) ? "-" : fmt::format("{:.4f}", score); }

/// By what people know the models: labels where they are wanted and given, else ids.
class ShownNames {
 public:
  ShownNames(const std::vector<Fingerprint>& models, bool labels) {
    if (!labels) return;
    for (const Fingerprint& model : models)
      if (!model.label.empty()) labels_.emplace(model.id, printable(model.label, 60));
  }
  std::string of(const std::string& id) const {
    const auto label = labels_.find(id);
    return label == labels_.end() ? printable(id, 60) : label->second;
  }

 private:
  std::map<std::string, std::string> labels_;
};

/// For every model "15 of 57 with aspen": the partner that shares most bytes with it; "-" where none does.
std::vector<std::string> equal_words(const AuditResult& result, const ShownNames& shown) {
  constexpr std::size_t none = SIZE_MAX;
  std::vector<std::size_t> best(result.fingerprints.size(), none);  // pair, by model
  const std::span<const Pair> pairs = result.comparison.pairs();
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const std::uint64_t bytes = result.comparison.numbers(i).equal_bytes;
    if (bytes == 0) continue;
    for (const std::uint32_t m : {pairs[i].a, pairs[i].b})
      if (best[m] == none || bytes > result.comparison.numbers(best[m]).equal_bytes) best[m] = i;
  }
  std::vector<std::string> words;
  for (std::uint32_t m = 0; m < best.size(); ++m) {
    words.emplace_back("-");
    if (best[m] == none) continue;
    const Pair& pair = pairs[best[m]];
    const Fingerprint& other = result.fingerprints[pair.a == m ? pair.b : pair.a];
    const ContentMatch match = match_content(result.fingerprints[m], other);
    words.back() = fmt::format("{} of {} with {}", match.equal_tensors, match.tensors_a, shown.of(other.id));
  }
  return words;
}

std::string declared_words(const Fingerprint& model, const ShownNames& shown) {
  std::vector<std::string> bases;
  for (const Claim& claim : model.declared) bases.push_back(shown.of(claim.base));
  return bases.empty() ? "-" : fmt::format("{}", fmt::join(bases, ","));
}

std::string verdict_words(const ModelVerdict& v, const ShownNames& shown) {
  std::string words(name_of(v.relation));
  if (!v.relative.empty()) words += " of " + shown.of(v.relative);
  if (v.relation == Relation::abstain && !v.reason.empty()) words += fmt::format("({})", v.reason);
  return words;
}

/// Among whose scores the shown ones were ranked, a line for each population.
std::string population_words(const AuditResult& result) {
  std::map<std::string, std::set<std::string>> ways;  // by population: how percentiles came about
  for (std::size_t m = 0; m < result.fingerprints.size(); ++m) {
    const Rank& rank = result.comparison.verdicts()[m].nearest_rank;
    if (result.fingerprints[m].use == Use::subject && !rank.basis.empty())
      ways[rank.population].insert(rank.basis);
  }
  std::string text;
  for (const auto& [population, bases] : ways)
    text += fmt::format("  Percentile: how many of the {} have a lower r; {}.\n", printable(population),
                        fmt::join(bases, ", "));
  return text;
}

/// What tensorguard's families are worth here: the control knows shapes only.
std::string family_words(const AuditResult& result) {
  const auto groups = guard_groups(result.fingerprints);
  if (!groups || groups->declared == 0) return "";
  return fmt::format(
      "  tensorguard puts {} of {} beside the declared base; its control, which knows shapes only, {} "
      "(families.tsv).\n",
      groups->agreeing, counted(groups->declared, "declared child", "declared children"),
      groups->control_agreeing);
}

}  // namespace

std::string verdict_summary(const AuditResult& result, bool labels) {
  const ShownNames shown(result.fingerprints, labels);
  const std::vector<std::string> equal = equal_words(result, shown);
  std::vector<std::vector<std::string>> rows{{"model", "declared", "nearest by curves", "r", "percentile",
                                              "equal tensors", "the weights say", "declaration"}};
  std::map<std::string, int> counts;
  for (std::uint32_t m = 0; m < result.fingerprints.size(); ++m) {
    const Fingerprint& model = result.fingerprints[m];
    if (model.use != Use::subject) continue;
    const ModelVerdict& v = result.comparison.verdicts()[m];
    const std::string declaration(name_of(v.declaration));
    if (!declaration.empty()) ++counts[declaration];
    rows.push_back({shown.of(model.id), declared_words(model, shown),
                    v.nearest_by_curve.empty() ? "-" : shown.of(v.nearest_by_curve),
                    score_words(v.nearest_score), standing_words(v.nearest_rank), equal[m],
                    verdict_words(v, shown), declaration.empty() ? "-" : declaration});
  }
  std::string text = aligned(rows);
  std::vector<std::string> declarations;
  for (const auto& [name, n] : counts) declarations.push_back(fmt::format("{} {}", n, name));
  text += fmt::format("  {}, {}: {}; {} failed.\n", counted(result.fingerprints.size(), "model"),
                      counted(result.comparison.size(), "pair"),
                      declarations.empty() ? "nothing declared"
                                           : fmt::format("declarations {}", fmt::join(declarations, ", ")),
                      result.failures.size());
  text += fmt::format("  {}\n", curve_score_caveat());
  return text + population_words(result) + family_words(result);
}

}  // namespace stemma
