// Which JSON documents does a run leave for scripts?
#include <algorithm>
#include <cmath>
#include <map>

#include "analyzers/curve_score.hpp"
#include "io/report/redaction.hpp"
#include "pipeline/deciding_pair.hpp"
#include "pipeline/json_document.hpp"
#include "pipeline/outputs.hpp"
#include "pipeline/pair_view.hpp"
#include "pipeline/version.hpp"

namespace stemma {
namespace {

using Json = nlohmann::ordered_json;

Json declared_of(const std::vector<Claim>& claims) {
  Json list = Json::array();
  for (const Claim& c : claims)
    list.push_back({{"base", c.base}, {"relation", c.relation}, {"source", c.source}});
  return list;
}

/// Methods that say something about the two, each once, in the order of the evidence.
std::vector<std::string> tests_of(const Pair& pair) {
  std::vector<std::string> tests;
  for (const Evidence& e : pair.evidence)
    if (e.abstain.empty() && std::ranges::find(tests, e.method) == tests.end()) tests.push_back(e.method);
  return tests;
}

Redaction redaction_of(const AuditResult& result, const AuditRequest& request) {
  if (!request.tables.redact) return {};
  std::vector<std::string> paths = {request.archive.string(), request.store.string()};
  for (const SurveyedModel& s : result.models) {
    paths.push_back(s.request.path);
    if (!s.model) continue;
    for (const SourceFile& file : s.model->checkpoint.files) paths.push_back(file.path);
  }
  return Redaction(paths);
}

}  // namespace

std::string verdicts_json(const AuditResult& result, const AuditRequest& request) {
  Json models = Json::array();
  std::map<std::string, int> counts;
  const DecidingPairs deciding(result.fingerprints, result.comparison);
  for (std::size_t m = 0; m < result.fingerprints.size(); ++m) {
    const Fingerprint& model = result.fingerprints[m];
    if (model.use != Use::subject || m >= result.comparison.verdicts().size()) continue;
    const ModelVerdict& v = result.comparison.verdicts()[m];
    const std::string declaration(name_of(v.declaration));
    if (!declaration.empty()) ++counts[declaration];
    const auto pair = deciding.of(m);
    const Pair told = pair ? result.comparison.with_evidence(pair->index) : Pair{};
    models.push_back({{"id", model.id},
                      {"content", content_of(model)},
                      {"declared", declared_of(model.declared)},
                      {"declaration", declaration},
                      {"declaration_reason", v.declaration_reason},
                      {"verdict",
                       {{"relation", name_of(v.relation)},
                        {"relative", v.relative},
                        {"sentence", told.sentence},
                        {"abstain_reason", v.reason},
                        {"direction", descent_words(v.direction)},
                        {"log10_p", json_number(pair ? pair->log10_p : missing)},
                        {"log10_p_corrected", json_number(pair ? pair->log10_p_corrected : missing)},
                        {"grade", pair && pair->grade ? Json(name_of(*pair->grade)) : Json(nullptr)},
                        {"tests", tests_of(told)}}},
                      {"nearest_by_curve",
                       {{"id", v.nearest_by_curve},
                        {"score", json_number(v.nearest_score)},
                        {"percentile", json_number(v.nearest_rank.percentile)},
                        {"percentile_basis", v.nearest_rank.basis},
                        {"background", v.nearest_rank.population},
                        {"background_n", v.nearest_rank.n}}},
                      {"others", v.others}});
  }
  Json failed = Json::array();
  for (const Fingerprint& model : result.fingerprints)
    if (model.status == Status::failed) failed.push_back(model.id);
  const std::string text =
      json_text({{"schema", "stemma.verdicts/1"},
                 {"stemma", version_text},
                 {"run", result.provenance.uuid},
                 {"archive",
                  {{"file", request.archive.filename().string()},
                   {"canonical_exact", result.hashes.exact},
                   {"canonical_all", result.hashes.all}}},
                 {"null_hypothesis", "independent random initialisations"},
                 {"pairs_tested", result.comparison.size()},
                 {"fdr", request.comparison ? Json(request.comparison->rule.level) : Json(nullptr)},
                 {"models", models},
                 {"counts", counts},
                 {"failed", failed}});
  return redaction_of(result, request)(text);
}

std::string comparison_json(const std::vector<Fingerprint>& models, const Comparison& comparison) {
  Json pairs = Json::array();
  for (std::size_t i = 0; i < comparison.size(); ++i) {
    const Pair pair = comparison.with_evidence(i);
    Json evidence = Json::array();
    for (const Evidence& e : pair.evidence)
      evidence.push_back({{"method", e.method},
                          {"statistic", e.statistic},
                          {"role", e.role},
                          {"score", json_number(e.score)},
                          {"control", json_number(e.control)},
                          {"null", e.null},
                          {"background", e.background},
                          {"background_n", e.background_n},
                          {"background_percentile", json_number(e.background_percentile)},
                          {"log10_p", json_number(e.log10_p)},
                          {"grade", name_of(e.grade)},
                          {"abstains", e.abstain},
                          {"detail", Json::parse(e.detail_json, nullptr, false)}});
    pairs.push_back({{"a", models[pair.a].id},
                     {"b", models[pair.b].id},
                     {"relation", name_of(pair.relation)},
                     {"abstain_reason", pair.reason},
                     {"direction", pair.direction},
                     {"sentence", pair.sentence},
                     {"evidence", evidence}});
  }
  return json_text({{"schema", "stemma.compare/1"},
                    {"stemma", version_text},
                    {"caveat", curve_score_caveat()},
                    {"pairs", pairs}});
}

namespace {

/// Failures without the machines on which they happened.
std::vector<Failure> nowhere(std::vector<Failure> failures) {
  for (Failure& failure : failures) failure.node.clear();
  return failures;
}

}  // namespace

void write_outputs(const RunDirectory& directory, const AuditResult& result, const AuditRequest& request,
                   DoneCount* told) {
  const TableWishes& wishes = request.tables;
  const Redaction redaction = redaction_of(result, request);
  const auto write = [&](const char* file, const std::string& text) {
    directory.write(file, redaction(text));
  };
  const PairRows pairs = wishes.all_pairs ? PairRows::all : PairRows::candidates;
  write("models.tsv", models_table(result));
  write("pairs.tsv", pairs_table(result.fingerprints, result.comparison, pairs));
  write("evidence.tsv", evidence_table(result.fingerprints, result.comparison, pairs, told));
  write("verdicts.tsv", verdicts_table(result.fingerprints, result.comparison));
  write("features.tsv", features_table(result.fingerprints, wishes.most_features));
  write("families.tsv", families_table(result.fingerprints));
  write("findings.tsv", findings_table(result.models));
  write("failures.tsv", failures_table(wishes.redact ? nowhere(result.failures) : result.failures));
  write("verdicts.json", verdicts_json(result, request));
  write("manifest.json", manifest_json(result, request, directory.path()));
}

}  // namespace stemma
