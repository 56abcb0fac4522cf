// Rows are made once and shown in two ways.
#include "pipeline/commands/inspected_part.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "io/report/tsv.hpp"
#include "pipeline/commands/target.hpp"
#include "pipeline/feature_rows.hpp"
#include "pipeline/json_document.hpp"
#include "pipeline/outputs.hpp"
#include "pipeline/redacted.hpp"

namespace stemma {
namespace {

using Json = nlohmann::ordered_json;

Json features_json(const std::vector<Fingerprint>& models) {
  Json rows = Json::array();
  for (const Fingerprint& model : models)
    for_each_feature(model, [&](std::string_view method, int layer, std::string_view part,
                                std::string_view feature, double value) {
      rows.push_back({{"model", model.id},
                      {"method", method},
                      {"layer", layer},
                      {"part", part},
                      {"feature", feature},
                      {"value", json_number(value)}});
    });
  return rows;
}

Json findings_json(const std::vector<ModelFinding>& findings) {
  Json rows = Json::array();
  for (const auto& [model, f] : findings)
    rows.push_back({{"model", model},
                    {"severity", name_of(f.severity)},
                    {"rule", f.rule},
                    {"file", f.file},
                    {"tensor", f.tensor},
                    {"byte_offset", f.byte_offset ? Json(*f.byte_offset) : Json(nullptr)},
                    {"expected", f.expected},
                    {"found", f.found},
                    {"hint", f.hint},
                    {"sentence", sentence(f)}});
  return rows;
}

Json claims_json(const std::vector<StatedLineage>& declared) {
  Json rows = Json::array();
  for (const auto& [model, claims] : declared)
    for (const Claim& claim : claims)
      rows.push_back(
          {{"model", model}, {"base", claim.base}, {"relation", claim.relation}, {"source", claim.source}});
  return rows;
}

std::string declared_table(std::span<const PartOfTarget> targets) {
  Tsv table({"model", "base", "relation", "source"});
  for (const PartOfTarget& target : targets)
    for (const auto& [model, claims] : target.declared) {
      for (const Claim& claim : claims) table.row(model, claim.base, claim.relation, claim.source);
      if (claims.empty()) table.row(model, "", "", "");
    }
  return table.text();
}

}  // namespace

PartOfTarget part_of(const SurveyedModel& model, Shown part) {
  PartOfTarget out{.target = model.request.id, .kind = "model"};
  if (part == Shown::findings)
    for (Finding& finding : findings_of(model)) out.findings.push_back({model.request.id, finding});
  if (part == Shown::declared) {
    out.declared.push_back({model.request.id, model.request.declared});
    if (model.model)
      std::ranges::copy(model.model->checkpoint.claims, std::back_inserter(out.declared.back().claims));
  }
  return out;
}

PartOfTarget part_of_archive(const std::string& target, Shown part, const std::string& prefix,
                             bool redacted) {
  const ArchiveReader archive(archive_at(target));
  PartOfTarget out{.target = target, .kind = "archive"};
  if (part == Shown::findings) out.findings = archive.findings();
  if (part == Shown::declared)
    for (const ModelRow& row : archive.models()) out.declared.push_back({row.id, row.declared});
  if (part == Shown::features) out.measured = archive.fingerprints(Sketches::leave);
  if (redacted) {
    std::vector<std::string> paths;
    for (const ModelRow& row : archive.models()) paths.push_back(row.path);
    const Redaction redaction(paths);
    for (ModelFinding& finding : out.findings) redact(finding.finding, redaction);
    for (StatedLineage& declaration : out.declared) redact(declaration.claims, redaction);
  }
  for (ModelFinding& finding : out.findings) finding.model.insert(0, prefix);
  for (StatedLineage& declaration : out.declared) declaration.model.insert(0, prefix);
  for (Fingerprint& model : out.measured) model.id.insert(0, prefix);
  return out;
}

std::string part_table(std::span<const PartOfTarget> targets, Shown part) {
  if (part == Shown::declared) return declared_table(targets);
  std::vector<ModelFinding> findings;
  std::vector<Fingerprint> measured;
  for (const PartOfTarget& target : targets) {
    std::ranges::copy(target.findings, std::back_inserter(findings));
    std::ranges::copy(target.measured, std::back_inserter(measured));
  }
  return part == Shown::findings ? findings_table(findings) : features_table(measured);
}

Json part_json(std::span<const PartOfTarget> targets, Shown part) {
  Json list = Json::array();
  for (const PartOfTarget& target : targets) {
    Json& one = list.emplace_back(Json{{"id", target.target}, {"kind", target.kind}});
    if (part == Shown::findings) one["findings"] = findings_json(target.findings);
    if (part == Shown::declared) one["claims"] = claims_json(target.declared);
    if (part == Shown::features) one["features"] = features_json(target.measured);
  }
  return list;
}

}  // namespace stemma
