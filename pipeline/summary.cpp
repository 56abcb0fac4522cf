#include "pipeline/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "analyzers/content_pair.hpp"
#include "analyzers/curve_score.hpp"
#include "pipeline/pair_view.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

std::string score_words(double score) { return std::isnan(score) ? "-" : fmt::format("{:.4f}", score); }

/// Terminal columns of UTF-8 text, near enough for labels: one per code point.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// "15 of 57 with aspen": the partner that shares most bytes with model `m`.
std::string equal_words(const AuditResult& result, std::uint32_t m) {
  std::string words = "-";
  std::uint64_t most = 0;
  const std::span<const Pair> pairs = result.comparison.pairs();
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].a != m && pairs[i].b != m) continue;
    const PairNumbers& numbers = result.comparison.numbers(i);
    if (numbers.equal_bytes <= most) continue;
    most = numbers.equal_bytes;
    const Fingerprint& other = result.fingerprints[pairs[i].a == m ? pairs[i].b : pairs[i].a];
    const std::uint64_t tensors = match_content(result.fingerprints[m], other).tensors_a;
    words = fmt::format("{} of {} with {}", numbers.equal_tensors, tensors, other.id);
  }
  return words;
}

std::string declared_words(const Fingerprint& model) {
  std::vector<std::string> bases;
  for (const Claim& claim : model.declared) bases.push_back(printable(claim.base, 60));
  return bases.empty() ? "-" : fmt::format("{}", fmt::join(bases, ","));
}

std::string verdict_words(const ModelVerdict& v) {
  std::string words(name_of(v.relation));
  if (!v.relative.empty()) words += " of " + v.relative;
  if (v.relation == Relation::abstain && !v.reason.empty()) words += fmt::format("({})", v.reason);
  return words;
}

}  // namespace

std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width_of(row[c]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c)
      line += fmt::format("  {}{:{}}", row[c], "", widths[c] - width_of(row[c]));
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string verdict_summary(const AuditResult& result) {
  std::vector<std::vector<std::string>> rows{
      {"model", "declared", "nearest by curves", "r", "equal tensors", "the weights say", "declaration"}};
  std::map<std::string, int> counts;
  for (std::uint32_t m = 0; m < result.fingerprints.size(); ++m) {
    const Fingerprint& model = result.fingerprints[m];
    if (model.use != Use::subject) continue;
    const ModelVerdict& v = result.comparison.verdicts()[m];
    const std::string declaration(name_of(v.declaration));
    if (!declaration.empty()) ++counts[declaration];
    rows.push_back({model.id, declared_words(model), v.nearest_by_curve.empty() ? "-" : v.nearest_by_curve,
                    score_words(v.nearest_score), equal_words(result, m), verdict_words(v),
                    declaration.empty() ? "-" : declaration});
  }
  std::string text = aligned(rows);
  std::vector<std::string> declarations;
  for (const auto& [name, n] : counts) declarations.push_back(fmt::format("{} {}", n, name));
  text += fmt::format("  {} models, {} pairs: {}; {} failed.\n", result.fingerprints.size(),
                      with_commas(result.comparison.size()),
                      declarations.empty() ? "nothing declared" : fmt::format("declarations {}", fmt::join(declarations, ", ")),
                      result.failures.size());
  text += fmt::format("  {}\n", curve_score_caveat());
  return text;
}

std::string pair_summary(const Fingerprint& a, const Fingerprint& b, const Pair& pair) {
  std::vector<std::vector<std::string>> rows{
      {"method", "statistic", "role", "score", "control", "background percentile", "n", "null", "abstains"}};
  for (const Evidence& e : pair.evidence)
    rows.push_back({e.method, e.statistic, e.role.empty() ? "all" : e.role, score_words(e.score), score_words(e.control),
                    score_words(e.background_percentile), fmt::format("{}", e.background_n),
                    e.null.empty() ? "-" : e.null, e.abstain.empty() ? "-" : e.abstain});
  std::string text = fmt::format("{} and {}: {}{}\n  {}\n", a.id, b.id, name_of(pair.relation),
                                 pair.reason.empty() ? "" : fmt::format("({})", pair.reason), pair.sentence);
  text += aligned(rows);
  text += fmt::format("  {}\n", curve_score_caveat());
  return text;
}

}  // namespace stemma
