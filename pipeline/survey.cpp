// Headers only; a model that cannot be used becomes a row and disturbs no other.
#include "pipeline/survey.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#include "io/formats/anchor_shelf.hpp"
#include "io/formats/open_checkpoint.hpp"
#include "pipeline/clock.hpp"

namespace stemma {
namespace {

constexpr std::size_t many_models = 32;
constexpr std::size_t survey_threads = 8;

/// One survey of one model: what fails it, and what was found on the way.
class Opening {
 public:
  explicit Opening(const ModelRequest& request) : surveyed_{request, std::nullopt, std::nullopt, {}} {}

  SurveyedModel open(const ArchitectureTables& architectures, AnchorShelf& anchors) {
    const ModelRequest& request = surveyed_.request;
    try {
      surveyed_.model = architectures.canonicalise(open_checkpoint(request.path), request.architecture);
      anchors.choose(*surveyed_.model);
      refuse_errors();
    } catch (const UnreadableModel& error) {
      surveyed_.findings = error.findings();
      fail(error.finding().rule, error.what(), error.finding().hint);
    } catch (const InvalidInput& error) {
      surveyed_.findings = {error.finding()};
      fail(error.finding().rule, error.what(), error.finding().hint);
    } catch (const UnknownFamily& error) {
      fail("architecture.unknown_family", error.what(), "");
    } catch (const std::bad_alloc&) {
      fail("survey.out_of_memory", fmt::format("{}: out of memory while its headers were read", path()),
           "give the job more memory, or start fewer ranks per node");
    } catch (const std::system_error& error) {  // of the file system, mostly
      fail("file.open_failed", fmt::format("{}: {}", path(), error.code().message()), "");
    } catch (const std::exception& error) {
      fail("survey.failed", fmt::format("{}: {}", path(), printable(error.what())), "");
    }
    return std::move(surveyed_);
  }

 private:
  std::string path() const { return printable(surveyed_.request.path); }

  /// Names that contradict each other make the whole model doubtful, although its files can be read.
  void refuse_errors() {
    std::vector<Finding> findings = findings_of(surveyed_);
    const auto error = std::ranges::find(findings, Severity::error, &Finding::severity);
    if (error == findings.end()) return;
    fail(error->rule, sentence(*error), error->hint);
    surveyed_.findings = std::move(findings);
    surveyed_.model.reset();
  }

  void fail(std::string rule, std::string what, std::string suggestion) {
    surveyed_.failure = Failure{.model = surveyed_.request.id,
                                .item = surveyed_.request.path,
                                .stage = Stage::survey,
                                .rule = std::move(rule),
                                .sentence = std::move(what),
                                .suggestion = std::move(suggestion),
                                .attempts = 1,
                                .quarantined = false,
                                .rank = 0,
                                .node = host_name(),
                                .seconds = watch_.seconds(),
                                .when = utc_now()};
  }

  SurveyedModel surveyed_;
  Stopwatch watch_;
};

}  // namespace

std::vector<SurveyedModel> survey(std::span<const ModelRequest> requests,
                                  const ArchitectureTables& architectures, DoneCount* opened) {
  std::vector<SurveyedModel> models(requests.size());
  AnchorShelf anchors;
  std::atomic<std::size_t> next = 0;
  std::exception_ptr failure;
  std::mutex failing;
  const auto open_some = [&] {
    try {
      for (std::size_t i = next++; i < requests.size(); i = next++) {
        models[i] = Opening(requests[i]).open(architectures, anchors);
        count_one(opened);
      }
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
    try {
      for (std::size_t t = 1; t < threads; ++t) others.emplace_back(open_some);
    } catch (const std::system_error&) {
      // the machine gives no more threads: fewer will do
    }
    open_some();
  }
  if (failure) std::rethrow_exception(failure);
  std::sort(models.begin(), models.end(),
            [](const auto& a, const auto& b) { return a.request.id < b.request.id; });
  return models;
}

std::vector<Finding> findings_of(const SurveyedModel& surveyed) {
  if (!surveyed.model) return surveyed.findings;
  std::vector<Finding> findings = surveyed.model->checkpoint.findings;
  findings.insert(findings.end(), surveyed.model->findings.begin(), surveyed.model->findings.end());
  return findings;
}

Finding reason_of_failure(const SurveyedModel& failed) {
  const std::string& id = failed.request.id;
  for (Finding& finding : findings_of(failed)) {
    if (sentence(finding) != failed.failure->sentence) continue;
    if (finding.file.empty() || finding.file == id)
      finding.file = id;
    else
      finding.file = fmt::format("{}: {}", id, finding.file);
    return std::move(finding);
  }
  return {.rule = failed.failure->rule, .file = id, .hint = failed.failure->sentence};
}

std::string said_of(const std::string& id, const std::string& sentence) {
  return sentence.starts_with(id + ": ") ? sentence : fmt::format("{}: {}", id, sentence);
}

}  // namespace stemma
