// Which tables does a run leave for people and scripts?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "analyzers/tensorguard_groups.hpp"
#include "io/archive/sha256.hpp"
#include "io/formats/quantised.hpp"
#include "io/report/tsv.hpp"
#include "pipeline/deciding_pair.hpp"
#include "pipeline/outputs.hpp"
#include "pipeline/pair_view.hpp"

namespace stemma {
namespace {

std::string joined(const std::vector<Claim>& claims, std::string Claim::*field) {
  std::vector<std::string> parts;
  for (const Claim& claim : claims) parts.push_back(printable(claim.*field));
  return fmt::format("{}", fmt::join(parts, ","));
}

/// "a_from_b" when a declares b as its base, and the other way round.
std::string declared_direction(const Fingerprint& a, const Fingerprint& b) {
  return declares(a, b) ? "a_from_b" : declares(b, a) ? "b_from_a" : "no";
}

/// What the weights say: "a_to_b" when b comes from a.
std::string found_direction(const Pair& pair) {
  return pair.direction > 0 ? "a_to_b" : pair.direction < 0 ? "b_to_a" : "unknown";
}

bool is_row(const std::vector<Fingerprint>& models, const Comparison& comparison, std::size_t place,
            PairRows rows) {
  if (rows == PairRows::all || comparison.confirmed(place)) return true;
  const Pair& pair = comparison.pairs()[place];
  const Fingerprint &a = models[pair.a], &b = models[pair.b];
  return pair.relation < Relation::no_evidence || declares(a, b) || declares(b, a);
}

/// Types of values on disk and schemes of quantised ones.
std::string dtypes_of(const Model& model) {
  std::set<std::string> names;
  for (const StoredTensor& t : model.checkpoint.tensors)
    if (t.scheme.empty()) names.emplace(name_of(t.dtype));
  for (const auto& scheme : quantisation_schemes_of(model.checkpoint)) {
    std::string words = scheme.first;
    std::erase(words, ',');  // which stands between two
    names.insert(std::move(words));
  }
  return fmt::format("{}", fmt::join(names, ","));
}

std::uint64_t count(const std::vector<Finding>& findings, Severity severity) {
  return static_cast<std::uint64_t>(std::count_if(findings.begin(), findings.end(),
                                                  [&](const Finding& f) { return f.severity == severity; }));
}

}  // namespace

std::string content_of(const Fingerprint& model) {
  std::vector<std::string> lines;
  for (const TensorMark& t : model.tensors) {
    if (!t.known) return "";
    lines.push_back(fmt::format("{} {} {} {} {}\n", t.role, hex(t.content), t.dtype, t.rows, t.cols));
  }
  if (lines.empty()) return "";
  std::sort(lines.begin(), lines.end());
  return sha256_hex(fmt::format("{}", fmt::join(lines, "")));
}

std::string models_table(const AuditResult& result) {
  Tsv table({"id",      "label", "use",      "family",  "format",   "architecture",    "heuristic",  "layers",
             "hidden",  "heads", "kv_heads", "mlp",     "vocab",    "experts",         "parameters", "bytes",
             "dtypes",  "path",  "revision", "content", "declared", "declared_source", "status",     "errors",
             "warnings"});
  std::set<std::string> failed;
  for (const Failure& failure : result.failures) failed.insert(failure.model);
  for (std::size_t m = 0; m < result.models.size(); ++m) {
    const SurveyedModel& s = result.models[m];
    const ModelRequest& r = s.request;
    const std::vector<Finding> findings = findings_of(s);
    const auto dim = [&](const char* name) {
      const auto value = s.model ? s.model->dim(name) : std::nullopt;
      return value ? cell(static_cast<double>(*value)) : std::string();
    };
    const Fingerprint& f = result.fingerprints[m];
    table.row(r.id, r.label, name_of(r.use), r.family,
              s.model   ? s.model->checkpoint.format
              : s.known ? format_of_known
                        : "",
              f.family, s.model && s.model->heuristic, f.layers, dim("hidden"), dim("heads"), dim("kv_heads"),
              dim("inter"), dim("vocab"), dim("experts"), f.parameters, s.model ? s.model->bytes() : 0,
              s.model ? dtypes_of(*s.model) : "", r.path, r.revision, content_of(f),
              joined(r.declared, &Claim::base), joined(r.declared, &Claim::source),
              s.known                 ? "known"
              : !s.model              ? "failed"
              : failed.contains(r.id) ? "partial"
                                      : "complete",
              count(findings, Severity::error), count(findings, Severity::warning));
  }
  return table.text();
}

std::string pairs_table(const std::vector<Fingerprint>& models, const Comparison& comparison, PairRows rows) {
  Tsv table({"a", "b", "stage", "relation", "abstain_reason", "direction", "declared", "log10_p",
             "log10_p_corrected", "tests", "equal_tensors", "equal_bytes_share", "permuted_bytes_share",
             "sigma_score", "sigma_twin", "sigma_percentile", "sigma_background_n", "sigma_percentile_basis",
             "sigma_background"});
  for (std::size_t i = 0; i < comparison.size(); ++i) {
    if (!is_row(models, comparison, i, rows)) continue;
    const Pair& pair = comparison.pairs()[i];
    const PairNumbers& numbers = comparison.numbers(i);
    const Rank rank = comparison.curve_rank(i);
    const Fingerprint &a = models[pair.a], &b = models[pair.b];
    table.row(a.id, b.id, comparison.confirmed(i) ? "confirmed" : "screened", name_of(pair.relation),
              pair.reason, found_direction(pair), declared_direction(a, b), pair.log10_p,
              pair.log10_p_corrected, pair.tests, numbers.equal_tensors, numbers.equal_share,
              numbers.permuted_share, pair.curve_score, numbers.twin_score, rank.percentile, rank.n,
              rank.basis, rank.population);
  }
  return table.text();
}

std::string evidence_table(const std::vector<Fingerprint>& models, const Comparison& comparison,
                           PairRows rows, DoneCount* told) {
  Tsv table({"a", "b", "method", "statistic", "null", "value", "background", "background_n",
             "background_percentile", "control", "log10_p", "grade", "role", "abstain_reason", "detail"});
  for (std::size_t i = 0; i < comparison.size(); ++i) {
    count_one(told);
    if (!is_row(models, comparison, i, rows)) continue;
    const Pair pair = comparison.with_evidence(i);
    for (const Evidence& e : pair.evidence)
      table.row(models[pair.a].id, models[pair.b].id, e.method, e.statistic, e.null, e.score, e.background,
                e.background_n, e.background_percentile, e.control, e.log10_p, name_of(e.grade), e.role,
                e.abstain, e.detail_json);
  }
  return table.text();
}

std::string verdicts_table(const std::vector<Fingerprint>& models, const Comparison& comparison) {
  Tsv table({"id", "declared", "declared_source", "relation", "relative", "direction", "abstain_reason",
             "declaration", "declaration_reason", "nearest_by_curve", "nearest_score", "nearest_percentile",
             "nearest_background_n", "nearest_percentile_basis", "nearest_background", "others", "log10_p",
             "log10_p_corrected", "grade"});
  const DecidingPairs deciding(models, comparison);
  for (std::size_t m = 0; m < models.size(); ++m) {
    if (models[m].use != Use::subject) continue;
    const ModelVerdict& v = comparison.verdicts()[m];
    const auto pair = deciding.of(m);
    table.row(models[m].id, joined(models[m].declared, &Claim::base),
              joined(models[m].declared, &Claim::source), name_of(v.relation), v.relative,
              descent_words(v.direction), v.reason, name_of(v.declaration), v.declaration_reason,
              v.nearest_by_curve, v.nearest_score, v.nearest_rank.percentile, v.nearest_rank.n,
              v.nearest_rank.basis, v.nearest_rank.population, fmt::format("{}", fmt::join(v.others, ",")),
              pair ? pair->log10_p : missing, pair ? pair->log10_p_corrected : missing,
              pair && pair->grade ? name_of(*pair->grade) : std::string_view());
  }
  return table.text();
}

std::string families_table(const std::vector<Fingerprint>& models) {
  Tsv table({"id", "is_base", "declared", "family", "nearest_base", "distance", "unknown", "control_family",
             "control_nearest_base", "control_distance"});
  const auto groups = guard_groups(models);
  if (!groups) return table.text();
  for (const GuardMember& m : groups->members)
    table.row(m.id, m.is_base, m.declared, m.weights.family, m.weights.nearest, m.weights.distance,
              m.weights.unknown, m.control.family, m.control.nearest, m.control.distance);
  return table.text();
}

std::string findings_table(const std::vector<ModelFinding>& findings) {
  Tsv table({"model", "severity", "rule", "file", "tensor", "byte_offset", "expected", "found", "hint"});
  for (const auto& [model, f] : findings)
    table.row(model, name_of(f.severity), f.rule, f.file, f.tensor, f.byte_offset, f.expected, f.found,
              f.hint);
  return table.text();
}

std::string findings_table(const std::vector<SurveyedModel>& models) {
  std::vector<ModelFinding> findings;
  for (const SurveyedModel& s : models)
    for (Finding& f : findings_of(s)) findings.push_back({s.request.id, std::move(f)});
  return findings_table(findings);
}

std::string failures_table(const std::vector<Failure>& failures) {
  Tsv table({"model", "item", "stage", "rule", "sentence", "suggestion", "attempts", "quarantined", "rank",
             "node", "seconds", "when"});
  for (const Failure& f : failures)
    table.row(f.model, f.item, name_of(f.stage), f.rule, f.sentence, f.suggestion, std::uint64_t{f.attempts},
              f.quarantined, std::uint64_t{f.rank}, f.node, f.seconds, f.when);
  return table.text();
}

}  // namespace stemma
