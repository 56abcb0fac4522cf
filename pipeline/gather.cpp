// Everything is put in the order of the plan, so that no schedule shows in the archive.
#include "pipeline/gather.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "analyzers/catalogue.hpp"
#include "analyzers/content.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/refusal.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

Status status_of(const SurveyedModel& surveyed, bool any_failed) {
  if (!surveyed.model) return Status::failed;
  return any_failed ? Status::failed : Status::ok;
}

/// Ids of models with at least one failure.
std::set<std::string> failed_ids(const std::vector<Failure>& failures) {
  std::set<std::string> ids;
  for (const Failure& failure : failures) ids.insert(failure.model);
  return ids;
}

bool is_reading(const std::string& rule) { return rule.starts_with("file."); }

/// One unreadable shard fails many subjects, at many offsets, for one reason: the rule and the file, with
/// which the sentence begins. Failures of the mathematics are one reason when they say the same.
std::string reason_of(const ResultStore::FailedSubject& failed) {
  const std::size_t place = is_reading(failed.rule) ? failed.problem.find(": ") : std::string::npos;
  return failed.rule + " " + failed.problem.substr(0, place);
}

}  // namespace

std::vector<Fingerprint> gather_fingerprints(std::span<const SurveyedModel> models,
                                             const std::vector<Question>& questions,
                                             const ResultStore& store) {
  std::vector<Fingerprint> fingerprints;
  fingerprints.reserve(models.size());
  for (std::uint32_t m = 0; m < models.size(); ++m) {
    const SurveyedModel& surveyed = models[m];
    if (surveyed.known) {
      fingerprints.push_back(*surveyed.known);
      continue;
    }
    Fingerprint fingerprint;
    fingerprint.id = surveyed.request.id;
    fingerprint.label = surveyed.request.label;
    fingerprint.use = surveyed.request.use;
    fingerprint.declared = surveyed.request.declared;
    fingerprint.status = status_of(surveyed, !store.failed(m).empty());
    if (surveyed.model) {
      fingerprint.family = surveyed.model->family;
      fingerprint.layers = surveyed.model->layers();
      fingerprint.parameters = surveyed.model->parameters();
      const FeatureSource features = store.of_model(m);
      for (const Question& question : questions)
        std::get<const Analyzer*>(question.analyzer)
            ->summarise(*surveyed.model, features, question.options, fingerprint);
      order_marks(fingerprint);
    }
    fingerprints.push_back(std::move(fingerprint));
  }
  return fingerprints;
}

void collect_failures(std::span<const SurveyedModel> models, const Plan& plan, const ResultStore& store,
                      std::span<const std::string> hosts, std::vector<Failure>& failures) {
  for (std::uint32_t m = 0; m < models.size(); ++m) {
    std::map<std::string, std::pair<const ResultStore::FailedSubject*, std::size_t>> reasons;
    for (const auto& failed : store.failed(m)) {
      auto& [first, count] = reasons.try_emplace(reason_of(failed), &failed, 0).first->second;
      if (failed.subject < first->subject) first = &failed;
      ++count;
    }
    for (const auto& [text, reason] : reasons) {
      const auto& [first, count] = reason;
      const bool reading = is_reading(first->rule);
      failures.push_back(
          {.model = models[m].request.id,
           .item = count == 1 ? first->subject : fmt::format("{} and {} more", first->subject, count - 1),
           .stage = reading ? Stage::read : Stage::compute,
           .rule = first->rule,
           .sentence = first->problem,
           .suggestion = first->suggestion,
           .attempts = static_cast<std::uint32_t>(first->attempts),
           .quarantined = false,
           .rank = static_cast<std::uint32_t>(first->rank),
           .node = hosts[static_cast<std::size_t>(first->rank)],
           .seconds = first->seconds,
           .when = first->when});
    }
  }
  for (const std::uint32_t i : plan.infeasible) {
    const Item& item = plan.items[i];
    const SurveyedModel& surveyed = models[item.model];
    const std::string name = printable(name_of(item, *surveyed.model));
    const Refusal why = refusal(item, plan);
    failures.push_back({.model = surveyed.request.id,
                        .item = name,
                        .stage = Stage::plan,
                        .rule = why.rule,
                        .sentence = fmt::format("{} {}", name, why.sentence),
                        .suggestion = why.suggestion,
                        .attempts = 0,
                        .quarantined = false,
                        .rank = 0,
                        .node = hosts[0],
                        .seconds = 0,
                        .when = utc_now()});
  }
}

std::vector<std::vector<FileFacts>> gather_file_facts(std::span<const SurveyedModel> models, const Plan& plan,
                                                      const ResultStore& store,
                                                      std::span<const double> actual_seconds) {
  std::vector<std::vector<FileFacts>> facts(models.size());
  for (std::uint32_t m = 0; m < models.size(); ++m) {
    if (!models[m].model) continue;
    facts[m].resize(models[m].model->checkpoint.files.size());
    const FeatureSource features = store.of_model(m);
    for (std::uint32_t file = 0; file < facts[m].size(); ++file) {
      facts[m][file].sha256 = sha256_of_file(features, file);
      if (!facts[m][file].sha256.empty()) facts[m][file].sha256_source = FileFacts::Source::computed;
    }
  }
  for (std::size_t i = 0; i < plan.items.size(); ++i) {
    const Item& item = plan.items[i];
    if (!(actual_seconds[i] >= 0)) continue;
    const Checkpoint& checkpoint = models[item.model].model->checkpoint;
    if (item.file) facts[item.model][*item.file].bytes_read += item.bytes;
    for (const std::uint32_t t : item.tensors)
      facts[item.model][checkpoint.tensors[t].file].bytes_read += checkpoint.tensors[t].stored_bytes();
  }
  return facts;
}

std::vector<BackgroundScores> measured_backgrounds(const Comparison& comparison) {
  std::vector<BackgroundScores> backgrounds;
  for (const auto& [name, stratum] : comparison.background().strata) {
    if (stratum.published) continue;
    BackgroundScores& b = backgrounds.emplace_back();
    b.method = "intrinsic_fingerprint";
    b.population = stratum.population;
    for (const auto& score : stratum.scores) b.scores.push_back(score.value);
  }
  return backgrounds;
}

void fill_archive(ArchiveWriter& writer, const AuditResult& result, const AuditRequest& request,
                  const ResultStore& store, std::span<const double> actual_seconds, DoneCount* added) {
  const std::set<std::string> failed = failed_ids(result.failures);
  for (std::uint32_t m = 0; m < result.models.size(); ++m) {
    const SurveyedModel& surveyed = result.models[m];
    const bool whole = surveyed.known || (surveyed.model && !failed.contains(surveyed.request.id));
    writer.add_model({.id = surveyed.request.id,
                      .label = surveyed.request.label,
                      .path = surveyed.request.path,
                      .revision = surveyed.request.revision,
                      .use = surveyed.request.use,
                      .model = surveyed.model ? &*surveyed.model : nullptr,
                      .fingerprint = &result.fingerprints[m],
                      .status = whole ? Status::ok : Status::failed,
                      .files = result.files[m],
                      .format = surveyed.known ? format_of_known : ""},
                     store.of_model(m));
    for (const Finding& finding : findings_of(surveyed)) writer.add_finding(surveyed.request.id, finding);
    count_one(added);
  }
  for (const Failure& failure : result.failures) writer.add_failure(failure);
  for (std::size_t i = 0; i < result.comparison.size(); ++i) {
    writer.add_pair(result.comparison.with_evidence(i));
    if (const PairTrace* trace = result.comparison.trace(i)) writer.add_trace(trace->origin);
    count_one(added);
  }
  for (const BackgroundScores& b : measured_backgrounds(result.comparison))
    writer.add_background(b.method, b.population, b.scores);
  std::vector<MethodRecord> methods;
  for (const Question& question : request.questions)
    methods.push_back({.name = std::string(question.method().name()),
                       .version = question.method().version(),
                       .paper = std::string(question.method().paper()),
                       .parameters_json = nlohmann::json(question.options).dump()});
  if (request.trace)
    for (const auto& [name, options] : request.trace->tests) {
      const PairAnalyzer& test = *pair_analyzer_named(name);
      methods.push_back({.name = name,
                         .version = test.version(),
                         .paper = std::string(test.paper()),
                         .parameters_json = nlohmann::json(options).dump()});
    }
  writer.set_methods(methods);

  PlanRecord plan{.digest = result.plan.digest,
                  .work = result.plan.work,
                  .lower_bound = result.plan.lower_bound,
                  .lambda = std::isfinite(result.plan.lambda) ? result.plan.lambda : missing,
                  .makespan_predicted = result.plan.makespan,
                  .makespan = result.work_seconds,
                  .efficiency = result.plan.efficiency(),
                  .calibration_json = to_json(result.plan.model),
                  .items = {}};
  for (std::size_t i = 0; i < result.plan.items.size(); ++i) {
    const Item& item = result.plan.items[i];
    const SurveyedModel& surveyed = result.models[item.model];
    plan.items.push_back({.model = surveyed.request.id,
                          .name = name_of(item, *surveyed.model),
                          .width = static_cast<std::uint16_t>(item.width),
                          .predicted_seconds = item.seconds,
                          .actual_seconds = actual_seconds[i],
                          .status = actual_seconds[i] >= 0 ? Status::ok : Status::skipped});
  }
  writer.set_plan(plan);
  Provenance provenance = result.provenance;
  provenance.ended = utc_now();
  provenance.exit_code = static_cast<std::int32_t>(result.code);
  writer.set_provenance(provenance);
  writer.set_config(request.resolved_yaml, request.original_yaml, request.overrides);
}

}  // namespace stemma
