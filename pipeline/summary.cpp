// Plain columns, one line for each model, and the sentences that must stand beside them.
#include "pipeline/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "analyzers/tensorguard_groups.hpp"
#include "io/report/columns.hpp"
#include "pipeline/deciding_pair.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

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

std::string declared_words(const Fingerprint& model, const ShownNames& shown) {
  std::vector<std::string> bases;
  for (const Claim& claim : model.declared) bases.push_back(shown.of(claim.base));
  return bases.empty() ? "-" : fmt::format("{}", fmt::join(bases, ","));
}

std::string verdict_words(const ModelVerdict& v) {
  std::string words(name_of(v.relation));
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
  const DecidingPairs deciding(result.fingerprints, result.comparison);
  std::vector<std::vector<std::string>> rows{
      {"model", "declared", "the weights say", "relative", "log10 p", "grade", "declaration"}};
  std::map<std::string, int> counts;
  for (std::uint32_t m = 0; m < result.fingerprints.size(); ++m) {
    const Fingerprint& model = result.fingerprints[m];
    if (model.use != Use::subject) continue;
    const ModelVerdict& v = result.comparison.verdicts()[m];
    const std::string declaration(name_of(v.declaration));
    if (!declaration.empty()) ++counts[declaration];
    const auto pair = deciding.of(m);
    const bool tested = pair && std::isfinite(pair->log10_p_corrected);
    rows.push_back({shown.of(model.id), declared_words(model, shown), verdict_words(v),
                    v.relative.empty() ? "-" : shown.of(v.relative),
                    tested ? fmt::format("{:.1f}", pair->log10_p_corrected) : "-",
                    tested && pair->grade ? std::string(name_of(*pair->grade)) : "-",
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
  return text + family_words(result) +
         "  Published scores (intrinsic_fingerprint, tensorguard) rank candidates and decide nothing.\n";
}

}  // namespace stemma
