// What does a page not tell that is written for others?
#include <algorithm>

#include "io/report/redaction.hpp"
#include "pipeline/page_parts.hpp"

namespace stemma {
namespace {

void redact(Evidence& evidence, const Redaction& redaction) {
  for (std::string* text : {&evidence.null, &evidence.background, &evidence.detail_json})
    *text = redaction(*text);
}

void redact(Finding& finding, const Redaction& redaction) {
  for (std::string* text : {&finding.file, &finding.expected, &finding.found, &finding.hint})
    *text = redaction(*text);
}

void redact(Failure& failure, const Redaction& redaction) {
  for (std::string* text : {&failure.item, &failure.sentence, &failure.suggestion}) *text = redaction(*text);
  failure.node.clear();
}

}  // namespace

void redact(PageContent& content) {
  std::vector<std::string> known;
  for (const PageModel& model : content.models) known.push_back(model.path);
  const Redaction redaction(known);
  for (PageModel& model : content.models) {
    model.path = redaction(model.path);
    for (Claim& claim : model.declared) claim.source = redaction(claim.source);
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
