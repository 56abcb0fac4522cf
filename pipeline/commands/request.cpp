// What does each key of a configuration mean to the engine?
#include "pipeline/commands/request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>

#include "analyzers/catalogue.hpp"
#include "io/config/yaml.hpp"
#include "io/config/yaml_section.hpp"
#include "pipeline/commands/target.hpp"
#include "pipeline/commands/words.hpp"
#include "pipeline/known_models.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

Use use_of(ModelUse use) {
  switch (use) {
    case ModelUse::reference:
      return Use::reference;
    case ModelUse::background:
      return Use::background;
    case ModelUse::subject:
      break;
  }
  return Use::subject;
}

ProgressRenderer renderer_of(const std::string& option, ProgressStyle style) {
  if (option == "bar") return ProgressRenderer::bar;
  if (option == "lines") return ProgressRenderer::lines;
  if (option == "none") return ProgressRenderer::none;
  switch (style) {
    case ProgressStyle::bar:
      return ProgressRenderer::bar;
    case ProgressStyle::lines:
      return ProgressRenderer::lines;
    case ProgressStyle::none:
      return ProgressRenderer::none;
    case ProgressStyle::automatic:
      break;
  }
  return ProgressRenderer::automatic;
}

}  // namespace

ConfiguredRuns read_configuration(const std::vector<Word>& words) {
  std::vector<std::string> files;
  std::vector<Override> overrides;
  std::string lines;
  for (const Word& word : words) {
    if (word.changes) {
      overrides.push_back(word.as_override());
      lines += word.text + "\n";
    } else {
      files.push_back(word.text);
    }
  }
  if (files.size() != 1) {
    for (std::string& file : files) file = printable(file, 100);
    throw UsageError(
        fmt::format("one configuration file is wanted, {} were given{} (overrides are written "
                    "key=value, in small letters and without blanks)",
                    files.size(), files.empty() ? "" : fmt::format(": {}", fmt::join(files, ", "))));
  }
  Complaints complaints(files.front());
  const auto text = read_text_file(files.front(), YamlLimits{}.bytes, complaints);
  complaints.raise_if_any();
  std::vector<std::string> notes;
  RunSeries series(*text, files.front(), overrides, notes);
  return {std::move(series), *text, std::move(lines), std::move(notes)};
}

Configuration ConfiguredRuns::at(std::size_t index) const {
  RunSeries::Point point = series.at(index);
  Configuration run{std::move(point.config), original, overrides, notes};
  if (series.is_sweep()) run.overrides += fmt::format("~sweep\n{}\n", fmt::join(point.changes, "\n"));
  return run;
}

std::vector<ModelRequest> requested_models(const RunConfig& config, std::vector<std::string>& notes) {
  std::vector<ModelRequest> requests;
  for (const ModelSource& source : expand_models(config, notes)) {
    ModelRequest request{source.id,           source.label,  source.path,        source.revision,
                         source.architecture, source.family, use_of(source.use), {}};
    for (const std::string& base : source.base)
      request.declared.push_back({base, source.relation, source.place});
    requests.push_back(std::move(request));
  }
  return requests;
}

std::vector<std::filesystem::path> architectures_of(const RunConfig& config, const Invocation& invocation) {
  std::vector<std::filesystem::path> directories(config.architectures.begin(), config.architectures.end());
  directories.insert(directories.end(), invocation.architectures.begin(), invocation.architectures.end());
  return directories;
}

std::vector<Question> questions_of(const RunConfig& config) {
  std::vector<Question> questions;
  for (const Analyzer* analyzer : catalogue())  // in its order: later ones read what earlier ones found
    if (const auto chosen = config.analyzers.find(std::string(analyzer->name()));
        chosen != config.analyzers.end())
      questions.push_back({analyzer, chosen->second});
  for (Question& question : questions)
    if (question.method().name() == "tensorguard")
      question.options["seed"] = static_cast<double>(config.seed);
  return questions;
}

ComparisonPlan comparison_of(const RunConfig& config) {
  ComparisonPlan plan;
  switch (config.compare.pairs) {
    case Pairs::all:
      plan.which = ComparisonPlan::Which::all;
      break;
    case Pairs::declared:
      plan.which = ComparisonPlan::Which::declared;
      break;
    case Pairs::reference:
      plan.which = ComparisonPlan::Which::reference;
      break;
    case Pairs::listed:
      plan.which = ComparisonPlan::Which::listed;
      plan.listed = read_pair_list(config.compare.list);
      break;
  }
  plan.tests = config.compare.tests;
  plan.background = config.compare.background;
  plan.independent = config.compare.independent;
  plan.check_declarations = config.verdicts.declared == DeclaredLineage::check;
  plan.rule = {.level = config.verdicts.fdr,
               .share = config.verdicts.min_share,
               .layers_share = config.verdicts.min_layers_share};
  return plan;
}

std::optional<TracePlan> trace_of(const RunConfig& config) {
  if (!config.trace.enabled || config.trace.tests.empty()) return std::nullopt;
  TracePlan plan;
  switch (config.trace.pairs) {
    case TracedPairs::candidates:
      plan.which = TracePlan::Which::candidates;
      break;
    case TracedPairs::declared:
      plan.which = TracePlan::Which::declared;
      break;
    case TracedPairs::listed:
      plan.which = TracePlan::Which::listed;
      plan.listed = read_pair_list(config.trace.list);
      break;
    case TracedPairs::all:
      plan.which = TracePlan::Which::all;
      break;
  }
  plan.max_pairs = static_cast<std::uint64_t>(config.trace.max_pairs);
  plan.tests = config.trace.tests;
  for (auto& [name, options] : plan.tests) options["seed"] = static_cast<double>(config.seed);
  return plan;
}

void check_pair_list(const std::vector<std::pair<std::string, std::string>>& pairs, const std::string& file,
                     const std::vector<std::string>& ids) {
  const std::set<std::string> known(ids.begin(), ids.end());
  std::vector<Problem> problems;
  for (std::size_t row = 0; row < pairs.size(); ++row) {
    const auto complain = [&](std::string message) {
      problems.push_back({.file = file, .line = static_cast<int>(row) + 2, .message = std::move(message)});
    };
    const auto& [a, b] = pairs[row];
    if (a == b) complain(fmt::format("{} is paired with itself", printable(a)));
    for (const std::string* id : {&a, &b}) {
      if (known.contains(*id)) continue;
      const auto close = nearest(*id, ids);
      complain(close ? fmt::format("{} is none of the {}. Did you mean {}?", printable(*id),
                                   counted(ids.size(), "model"), *close)
                     : fmt::format("{} is none of the {}. Name one of: {}", printable(*id),
                                   counted(ids.size(), "model"),
                                   printable(fmt::format("{}", fmt::join(ids, ", ")))));
    }
  }
  if (!problems.empty()) throw ConfigProblems(std::move(problems));
}

namespace {

/// What is known of models before anything is measured.
std::vector<Fingerprint> declared_of(const std::vector<ModelRequest>& requests) {
  std::vector<Fingerprint> models;
  for (const ModelRequest& request : requests) {
    Fingerprint& model = models.emplace_back();
    model.id = request.id;
    model.use = request.use;
    model.declared = request.declared;
  }
  return models;
}

}  // namespace

ProgressTerms progress_of(const RunConfig& config, const Invocation& invocation) {
  return {.renderer = renderer_of(invocation.progress, config.runtime.progress),
          .every = std::chrono::seconds(config.runtime.progress_every)};
}

Verbosity verbosity_of(const RunConfig& config, const Invocation& invocation) {
  if (invocation.quiet) return Verbosity::warn;
  if (invocation.verbose) return Verbosity::debug;
  switch (config.runtime.log_level) {
    case LogLevel::debug:
      return Verbosity::debug;
    case LogLevel::warn:
      return Verbosity::warn;
    case LogLevel::info:
      break;
  }
  return Verbosity::info;
}

CoordinatorMode coordinator_of(const RunConfig& config) {
  switch (config.runtime.coordinator) {
    case CoordinatorStyle::shared:
      return CoordinatorMode::shared;
    case CoordinatorStyle::dedicated:
      return CoordinatorMode::dedicated;
    case CoordinatorStyle::automatic:
      break;
  }
  return CoordinatorMode::automatic;
}

DirectReading direct_reading_of(const RunConfig& config) {
  switch (config.runtime.io.direct) {
    case DirectIo::always:
      return DirectReading::always;
    case DirectIo::never:
      return DirectReading::never;
    case DirectIo::automatic:
      break;
  }
  return DirectReading::automatic;
}

TableWishes tables_of(const RunConfig& config) {
  TableWishes wishes;
  wishes.all_pairs = config.report.pairs == ReportedPairs::all;
  if (config.report.features == ReportedFeatures::yes)
    wishes.most_features = std::numeric_limits<std::uint64_t>::max();
  if (config.report.features == ReportedFeatures::no) wishes.most_features = 0;
  wishes.redact = config.report.redact_paths;
  return wishes;
}

void leave_out_pairs(AuditRequest& request) {
  request.comparison->which = ComparisonPlan::Which::listed;  // of nothing
  request.comparison->listed.clear();
  request.trace.reset();
}

AuditRequest conduct_of(const Configuration& configuration, const Invocation& invocation) {
  const RunConfig& config = configuration.config;
  AuditRequest request;
  request.architectures = architectures_of(config, invocation);
  request.direct = direct_reading_of(config);
  request.coordinator = coordinator_of(config);
  request.width_rule = config.runtime.reproducible ? WidthRule::by_size : WidthRule::soonest;
  request.memory_per_rank = config.runtime.memory_per_rank;
  if (const std::string& how = config.runtime.calibration; how == "measure") {
    request.calibration = Calibration::always;
  } else if (how != "auto") {
    request.calibration = Calibration::never;
    if (how != "reference") request.rates = read_cost_model(how);
  }
  request.strict = config.runtime.strict || invocation.strict;
  request.limit = limit_of(moment_from(config.runtime.deadline).value_or(Moment{}),
                           static_cast<double>(config.runtime.deadline_margin));
  request.progress = progress_of(config, invocation);
  request.seed = config.seed;
  request.labels = config.report.labels == Labels::label;
  request.html = config.report.html;
  request.multiqc = config.report.multiqc;
  request.tables = tables_of(config);
  request.earlier = config.runtime.rehash ? EarlierResults::checked : EarlierResults::used;
  request.resolved_yaml = resolved_yaml(config);
  request.original_yaml = configuration.original;
  request.overrides = configuration.overrides;
  request.command_line = invocation.command_line();
  return request;
}

AuditRequest request_of(const Configuration& configuration, const Invocation& invocation,
                        std::vector<std::string>& notes) {
  const RunConfig& config = configuration.config;
  AuditRequest request = conduct_of(configuration, invocation);
  request.models = requested_models(config, notes);
  request.questions = questions_of(config);
  request.comparison = comparison_of(config);
  std::vector<std::string> ids;
  for (const ModelRequest& model : request.models) ids.push_back(model.id);
  check_independent(declared_of(request.models), config.compare.independent);
  request.trace = trace_of(config);
  if (request.trace) check_pair_list(request.trace->listed, config.trace.list, ids);
  std::vector<std::filesystem::path> archives;
  for (const std::string& archive : config.compare.against) archives.push_back(archive_at(archive));
  request.known = known_models(archives, request.questions, notes);
  for (const SurveyedModel& model : request.known) request.comparison->known.push_back(model.request.id);
  std::ranges::copy(request.comparison->known, std::back_inserter(ids));  // of their weights nothing is here
  check_pair_list(request.comparison->listed, config.compare.list, ids);
  return request;
}

}  // namespace stemma
