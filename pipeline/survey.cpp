#include "pipeline/survey.hpp"

#include <algorithm>

#include "io/formats/open_checkpoint.hpp"
#include "pipeline/clock.hpp"

namespace stemma {
namespace {

SurveyedModel open(const ModelRequest& request, const ArchitectureTables& architectures) {
  SurveyedModel surveyed{request, std::nullopt, std::nullopt};
  const auto fail = [&](std::string rule, std::string what, std::string suggestion) {
    surveyed.failure = Failure{.model = request.id,
                               .item = request.path,
                               .stage = Stage::survey,
                               .rule = std::move(rule),
                               .sentence = std::move(what),
                               .suggestion = std::move(suggestion),
                               .attempts = 1,
                               .quarantined = false,
                               .rank = 0,
                               .node = host_name(),
                               .seconds = 0,
                               .when = utc_now()};
  };
  try {
    surveyed.model = architectures.canonicalise(open_checkpoint(request.path), request.architecture);
  } catch (const InvalidInput& error) {
    fail(error.finding().rule, error.what(), error.finding().hint);
  } catch (const std::invalid_argument& error) {
    fail("architecture.unknown_family", error.what(), "");
  }
  return surveyed;
}

}  // namespace

std::vector<SurveyedModel> survey(std::span<const ModelRequest> requests, const ArchitectureTables& architectures) {
  std::vector<SurveyedModel> models;
  models.reserve(requests.size());
  for (const ModelRequest& request : requests) models.push_back(open(request, architectures));
  std::sort(models.begin(), models.end(),
            [](const auto& a, const auto& b) { return a.request.id < b.request.id; });
  return models;
}

std::vector<Finding> findings_of(const SurveyedModel& surveyed) {
  if (!surveyed.model) return {};
  std::vector<Finding> findings = surveyed.model->checkpoint.findings;
  findings.insert(findings.end(), surveyed.model->findings.begin(), surveyed.model->findings.end());
  return findings;
}

}  // namespace stemma
