// Archives only say who is to be read: nothing that they measured enters a trace.
#include "pipeline/commands/traced_pairs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "io/formats/adapter.hpp"
#include "pipeline/commands/adhoc.hpp"
#include "pipeline/commands/operands.hpp"
#include "pipeline/commands/recorded_inputs.hpp"
#include "pipeline/commands/target.hpp"
#include "pipeline/counted_stage.hpp"
#include "pipeline/pair_view.hpp"

namespace stemma {
namespace {

/// A pair of models by index, to be read or not to be.
void ask(PairsToTrace& out, std::uint32_t base, std::uint32_t candidate) {
  for (const std::uint32_t m : {base, candidate}) {
    const SurveyedModel& model = out.models[m];
    if (model.model) continue;
    out.unread.push_back({out.models[base].request.id, out.models[candidate].request.id, model.failure->rule,
                          sentence(reason_of_failure(model))});
    return;
  }
  out.pairs.push_back({base, candidate, {}});
}

void refuse_unread(const AuditRequest& request, const PairsToTrace& pairs) {
  if (!request.strict || pairs.unread.empty()) return;
  for (const SurveyedModel& model : pairs.models)
    if (model.failure) throw InvalidInput(reason_of_failure(model));
}

/// Rows of the archives by the id that models_of gives their models.
std::map<std::string, ModelRow> rows_by_id(const std::vector<std::string>& operands) {
  std::map<std::string, ModelRow> rows;
  for (const std::string& operand : operands) {
    const std::filesystem::path file = archive_at(operand);
    const ArchiveReader archive(file, SealCheck::trust);  // models_of has looked
    for (const ModelRow& row : archive.models()) {
      rows.emplace(row.id, row);
      rows.emplace(file.string() + ":" + row.id, row);
    }
  }
  return rows;
}

Configuration configuration_for(const std::vector<std::string>& operands,
                                const std::vector<Override>& overrides) {
  Configuration out;
  std::string recorded;
  if (operands.size() == 1) recorded = ArchiveReader(archive_at(operands.front())).config().resolved_yaml;
  if (recorded.empty())  // a merged archive keeps none where its sources differ
    out.config = bare_config(overrides);
  else
    out.config = parse_run_config(recorded, archive_at(operands.front()).string(), overrides, out.notes);
  out.config.trace.enabled = true;  // the verb asks for it
  out.config.runtime.deadline = "auto";
  return out;
}

}  // namespace

PairsToTrace two_models(const AuditRequest& request) {
  if (request.models.size() != 2)
    throw UsageError(fmt::format("two models are wanted, {} {} given. Name both: stemma trace BASE CANDIDATE",
                                 request.models.size(), request.models.size() == 1 ? "was" : "were"));
  PairsToTrace named;
  const std::string base = request.models.front().id;  // the survey sorts
  std::vector<ModelRequest> whole = request.models;
  if (is_adapter(whole.front().path))
    throw UsageError(fmt::format("{} is an adapter: name its base first, then the adapter", printable(base)));
  if (is_adapter(whole.back().path)) {
    named.adapter = whole.back();
    whole.pop_back();
  }
  named.models = survey(whole, ArchitectureTables::shipped_and(request.architectures));
  for (const SurveyedModel& m : named.models) {
    if (m.failure) throw InvalidInput(reason_of_failure(m));
  }
  if (named.adapter) return named;
  const std::uint32_t first = named.models.front().request.id == base ? 0 : 1;
  named.pairs.push_back({first, 1 - first, {}});
  return named;
}

PairsToTrace listed_pairs(const AuditRequest& request, const std::string& file) {
  const auto listed = read_pair_list(file);
  std::vector<std::string> ids;
  for (const ModelRequest& model : request.models) ids.push_back(model.id);
  check_pair_list(listed, file, ids);
  std::set<std::string> wanted;
  for (const auto& [a, b] : listed) wanted.insert({a, b});
  std::vector<ModelRequest> models = request.models;
  std::erase_if(models, [&](const ModelRequest& model) { return !wanted.contains(model.id); });
  PairsToTrace out;
  out.models = survey(models, ArchitectureTables::shipped_and(request.architectures));
  const auto index_of = [&](const std::string& id) {
    const auto at = std::ranges::find(out.models, id, [](const auto& m) { return m.request.id; });
    return static_cast<std::uint32_t>(at - out.models.begin());
  };
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  for (const auto& [a, b] : listed) {
    const std::uint32_t first = index_of(a), second = index_of(b);
    if (!seen.insert(std::minmax(first, second)).second) continue;
    const bool turned = declares(out.models[first].request.declared, out.models[second].request.id);
    ask(out, turned ? second : first, turned ? first : second);
  }
  refuse_unread(request, out);
  return out;
}

ArchivedPairs::ArchivedPairs(const std::vector<std::string>& operands, const std::vector<Override>& overrides,
                             const std::string& inputs, const Invocation& invocation)
    : configuration_(configuration_for(operands, overrides)),
      request_(conduct_of(configuration_, invocation)),
      fingerprints_(models_of(operands)) {
  request_.comparison = comparison_of(configuration_.config);
  request_.trace = trace_of(configuration_.config);
  if (!request_.trace) throw UsageError("trace.tests names no test. Leave trace.tests.origin_tracer in it");
  const std::map<std::string, ModelRow> rows = rows_by_id(operands);
  // Those that a run was only compared with have their weights elsewhere.
  std::erase_if(fingerprints_,
                [&](const Fingerprint& model) { return rows.at(model.id).format == format_of_known; });
  const std::vector<std::string> known = ArchitectureTables::shipped_and(request_.architectures).families();
  for (const Fingerprint& model : fingerprints_) {
    const ModelRow& row = rows.at(model.id);
    ModelRequest& request = request_.models.emplace_back();
    request.id = model.id;
    request.label = row.label;
    request.path = place_of(row, inputs).value_or(row.path).string();
    request.revision = row.revision;
    if (std::ranges::find(known, row.family) != known.end()) request.architecture = row.family;
    request.use = row.use;
    request.declared = model.declared;
  }
  const ComparisonPlan& plan = *request_.comparison;
  if (plan.tests.contains("neuron_match")) neuron_pairs_ = chosen_pairs(fingerprints_, plan);
}

PairsToTrace ArchivedPairs::candidates(std::vector<NeuronAgreement> neurons, std::uint64_t& left_out,
                                       Log& log) const {
  std::optional<CountedStage> stage;
  const std::size_t pairs = chosen_pairs(fingerprints_, *request_.comparison).size();
  const ProgressTerms terms = request_.progress.until(&request_.limit);
  stage.emplace(log, "compare", "pairs", pairs, terms);
  const Comparison comparison(fingerprints_, *request_.comparison, {}, std::move(neurons), &stage->done());
  stage.emplace(log, "survey", "models", request_.models.size(), terms);
  PairsToTrace out;
  out.models =
      survey(request_.models, ArchitectureTables::shipped_and(request_.architectures), &stage->done());
  stage.reset();
  // A model that is gone belongs to candidates too, which are then said to be unread.
  std::vector<SurveyedModel> as_archived(fingerprints_.size());
  for (std::size_t m = 0; m < as_archived.size(); ++m)
    if (fingerprints_[m].status != Status::failed) as_archived[m].model.emplace();
  const ChosenPairs chosen = choose_pairs(as_archived, fingerprints_, comparison, *request_.trace);
  left_out = chosen.left_out;
  for (const TracePair& pair : chosen.pairs) ask(out, pair.base, pair.candidate);
  refuse_unread(request_, out);
  return out;
}

}  // namespace stemma
