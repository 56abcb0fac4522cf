#include "pipeline/survey.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "io/formats/open_checkpoint.hpp"
#include "pipeline/clock.hpp"

namespace stemma {
namespace {

constexpr std::size_t many_models = 32;
constexpr std::size_t survey_threads = 8;

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
  std::vector<SurveyedModel> models(requests.size());
  std::atomic<std::size_t> next = 0;
  std::exception_ptr failure;
  std::mutex failing;
  const auto open_some = [&] {
    try {
      for (std::size_t i = next++; i < requests.size(); i = next++) models[i] = open(requests[i], architectures);
    } catch (...) {
      const std::scoped_lock lock(failing);
      failure = std::current_exception();
      next = requests.size();
    }
  };
  // Opening is mostly waiting for a file system: a few threads wait together.
  const std::size_t threads = requests.size() < many_models ? 1 : survey_threads;
  {
    std::vector<std::jthread> others;
    for (std::size_t t = 1; t < threads; ++t) others.emplace_back(open_some);
    open_some();
  }
  if (failure) std::rethrow_exception(failure);
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
