// Plain columns, one line for each model, and the sentences that must stand beside them.
#include "pipeline/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "analyzers/content_pair.hpp"
#include "analyzers/curve_score.hpp"
#include "analyzers/tensorguard_groups.hpp"
#include "io/report/columns.hpp"
#include "pipeline/pair_view.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

constexpr std::size_t most_of_a_sentence = 2000;

std::string shown_or_dash(const std::string& text) { return text.empty() ? "-" : printable(text); }

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
  std::vector<std::vector<std::string>> rows{
      {"model", "declared", "nearest by curves", "r", "equal tensors", "the weights say", "declaration"}};
  std::map<std::string, int> counts;
  for (std::uint32_t m = 0; m < result.fingerprints.size(); ++m) {
    const Fingerprint& model = result.fingerprints[m];
    if (model.use != Use::subject) continue;
    const ModelVerdict& v = result.comparison.verdicts()[m];
    const std::string declaration(name_of(v.declaration));
    if (!declaration.empty()) ++counts[declaration];
    rows.push_back({shown.of(model.id), declared_words(model, shown),
                    v.nearest_by_curve.empty() ? "-" : shown.of(v.nearest_by_curve),
                    score_words(v.nearest_score), equal[m], verdict_words(v, shown),
                    declaration.empty() ? "-" : declaration});
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
  return text + family_words(result);
}

std::string pair_summary(const Fingerprint& a, const Fingerprint& b, const Pair& pair) {
  std::vector<std::vector<std::string>> rows{
      {"method", "statistic", "role", "score", "control", "background percentile", "n", "null", "abstains"}};
  for (const Evidence& e : pair.evidence)
    rows.push_back({shown_or_dash(e.method), shown_or_dash(e.statistic), shown_or_dash(e.role),
                    score_words(e.score), score_words(e.control), score_words(e.background_percentile),
                    fmt::format("{}", e.background_n), shown_or_dash(e.null), shown_or_dash(e.abstain)});
  std::string text = fmt::format("{} and {}: {}\n  {}\n", printable(a.id), printable(b.id),
                                 relation_words(pair), printable(pair.sentence, most_of_a_sentence));
  text += aligned(rows);
  text += fmt::format("  {}\n", curve_score_caveat());
  return text;
}

}  // namespace stemma
