// Texts that may hold paths are named one by one: a name of a model is none, whatever it looks like.
#include "pipeline/redacted.hpp"

#include <algorithm>

namespace stemma {
namespace {

void redact(Evidence& evidence, const Redaction& redaction) {
  for (std::string* text : {&evidence.null, &evidence.background, &evidence.detail_json})
    *text = redaction(*text);
}

void redact(Failure& failure, const Redaction& redaction) {
  for (std::string* text : {&failure.item, &failure.sentence, &failure.suggestion}) *text = redaction(*text);
  failure.node.clear();
}

}  // namespace

void redact(Finding& finding, const Redaction& redaction) {
  for (std::string* text : {&finding.file, &finding.expected, &finding.found, &finding.hint})
    *text = redaction(*text);
}

void redact(std::vector<Claim>& claims, const Redaction& redaction) {
  for (Claim& claim : claims)
    for (std::string* text : {&claim.base, &claim.source}) *text = redaction(*text);
}

void redact(std::span<SurveyedModel> models) {
  std::vector<std::string> known;
  for (const SurveyedModel& s : models) known.push_back(s.request.path);
  const Redaction redaction(known);
  for (SurveyedModel& s : models) {
    s.request.path = redaction(s.request.path);
    redact(s.request.declared, redaction);
    for (Finding& finding : s.findings) redact(finding, redaction);
    if (s.failure) redact(*s.failure, redaction);
    if (!s.model) continue;
    redact(s.model->checkpoint.claims, redaction);
    for (SourceFile& file : s.model->checkpoint.files) file.path = redaction(file.path);
    for (auto* findings : {&s.model->checkpoint.findings, &s.model->findings})
      for (Finding& finding : *findings) redact(finding, redaction);
  }
}

void redact(PageContent& content) {
  std::vector<std::string> known;
  for (const PageModel& model : content.models) known.push_back(model.path);
  const Redaction redaction(known);
  for (PageModel& model : content.models) {
    model.path = redaction(model.path);
    model.declaration_reason = redaction(model.declaration_reason);
    redact(model.declared, redaction);
  }
  for (Dossier& dossier : content.dossiers)
    for (Evidence& evidence : dossier.found.evidence) redact(evidence, redaction);
  for (NullFigure& figure : content.nulls) figure.population = redaction(figure.population);
  for (ModelFinding& found : content.findings) redact(found.finding, redaction);
  for (Failure& failure : content.failures) redact(failure, redaction);
  std::erase_if(content.provenance, [](const auto& row) {
    return row.first == "user" || row.first == "Machine" || row.first == "cluster";
  });
  for (auto& [name, value] : content.provenance) value = redaction(value);
  content.configuration = redaction(content.configuration);
}

}  // namespace stemma
