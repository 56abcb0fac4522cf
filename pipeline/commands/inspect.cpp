// stemma inspect: what is this thing? Headers only.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "io/archive/archive_reader.hpp"
#include "io/formats/quantised.hpp"
#include "io/report/columns.hpp"
#include "pipeline/commands/adhoc.hpp"
#include "pipeline/commands/inspected_part.hpp"
#include "pipeline/commands/pick.hpp"
#include "pipeline/commands/target.hpp"
#include "pipeline/redacted.hpp"
#include "pipeline/version.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

using Json = nlohmann::ordered_json;

std::string shape_words(const StoredTensor& tensor) {
  return tensor.shape.empty() ? "scalar" : fmt::format("{}", fmt::join(tensor.shape, "x"));
}

Json as_json(const SurveyedModel& s) {
  Json document{{"id", s.request.id}, {"kind", "model"}, {"path", s.request.path}};
  if (!s.model) {
    document["problem"] = s.failure->sentence;
    document["rule"] = s.failure->rule;
    return document;
  }
  const Model& m = *s.model;
  document["format"] = m.checkpoint.format;
  document["architecture"] = m.family;
  document["layers"] = m.layers();
  document["dims"] = m.dims;
  document["parameters"] = m.parameters();
  document["bytes"] = m.bytes();
  document["quantised"] = Json::array();
  for (const auto& [scheme, count] : quantisation_schemes_of(m.checkpoint))
    document["quantised"].push_back({{"scheme", scheme}, {"tensors", count}});
  document["tensors"] = Json::array();
  for (const Matrix& x : m.matrices) {
    const StoredTensor& t = m.checkpoint.tensors[x.tensor];
    document["tensors"].push_back({{"role", path_of(x, m.checkpoint)},
                                   {"name", t.name},
                                   {"dtype", name_of(t.dtype)},
                                   {"shape", t.shape},
                                   {"rows", x.rows},
                                   {"cols", x.cols},
                                   {"steps", x.steps}});
  }
  document["findings"] = Json::array();
  for (const Finding& f : findings_of(s))
    document["findings"].push_back(
        {{"severity", name_of(f.severity)}, {"rule", f.rule}, {"sentence", sentence(f)}});
  document["claims"] = Json::array();
  for (const Claim& c : m.checkpoint.claims)
    document["claims"].push_back({{"base", c.base}, {"relation", c.relation}, {"source", c.source}});
  return document;
}

void print_model(const SurveyedModel& s, bool tensors) {
  if (!s.model) {
    fmt::print("{}: cannot be used: {}\n", printable(s.request.id), printable(s.failure->sentence, 2000));
    return;
  }
  const Model& m = *s.model;
  fmt::print("{}: {} model, architecture {}, {}, {}, {} in {}\n", printable(s.request.id),
             m.checkpoint.format, m.family.empty() ? "unknown" : printable(m.family),
             counted(static_cast<std::uint64_t>(m.layers()), "layer"), counted(m.parameters(), "parameter"),
             bytes_words(static_cast<double>(m.bytes())), counted(m.checkpoint.files.size(), "file"));
  std::vector<std::string> dims;
  for (const auto& [name, value] : m.dims) dims.push_back(fmt::format("{} {}", name, value));
  if (!dims.empty()) fmt::print("  {}\n", fmt::join(dims, ", "));
  for (const auto& [scheme, count] : quantisation_schemes_of(m.checkpoint))
    fmt::print("  quantised: {}: {}\n", scheme, counted(count, "tensor"));
  for (const Claim& c : m.checkpoint.claims)
    fmt::print("  claims: {} {} ({})\n", printable(c.relation), printable(c.base), printable(c.source));
  for (const Finding& f : findings_of(s)) fmt::print("  {}: {}\n", name_of(f.severity), sentence(f));
  if (!tensors) return;
  std::vector<std::vector<std::string>> rows{{"role", "tensor", "dtype", "shape", "canonical", "steps"}};
  for (const Matrix& x : m.matrices) {
    const StoredTensor& t = m.checkpoint.tensors[x.tensor];
    rows.push_back({printable(path_of(x, m.checkpoint)), printable(t.name), std::string(name_of(t.dtype)),
                    shape_words(t), fmt::format("{}x{}", x.rows, x.cols), x.steps});
  }
  fmt::print("{}", aligned(rows));
}

Json archive_json(const std::string& target) {
  const ArchiveReader archive(archive_at(target));
  Json models = Json::array();
  for (const ModelRow& m : archive.models())
    models.push_back({{"id", m.id},
                      {"architecture", m.family},
                      {"layers", m.layers},
                      {"parameters", m.parameters},
                      {"status", name_of(m.status)},
                      {"tensors", m.tensors}});
  return {{"id", target},
          {"kind", "archive"},
          {"created", archive.attribute("created")},
          {"models", models},
          {"pairs", archive.pairs().size()},
          {"failures", archive.failures().size()},
          {"canonical_exact", archive.hashes().exact},
          {"canonical_all", archive.hashes().all}};
}

void print_archive(const std::string& target) {
  const ArchiveReader archive(archive_at(target));
  fmt::print("{}: archive of {}, {}, {}, made {}\n", printable(target),
             counted(archive.models().size(), "model"), counted(archive.pairs().size(), "pair"),
             counted(archive.failures().size(), "failure"), printable(archive.attribute("created")));
  std::vector<std::vector<std::string>> rows{
      {"model", "architecture", "layers", "parameters", "tensors", "status"}};
  for (const ModelRow& m : archive.models())
    rows.push_back({printable(m.id), m.family.empty() ? "unknown" : printable(m.family),
                    fmt::format("{}", m.layers), with_commas(m.parameters), with_commas(m.tensors),
                    std::string(name_of(m.status))});
  fmt::print("{}  canonical_exact {}\n", aligned(rows), printable(archive.hashes().exact));
}

class InspectCommand final : public Command {
 public:
  std::string_view name() const override { return "inspect"; }
  std::string_view summary() const override {
    return "say what a model, archive or run directory is; no weight is read";
  }
  std::vector<Example> examples() const override {
    return {{"stemma inspect models/llama-7b", "format, architecture, claims, oddities"},
            {"stemma inspect models/llama-7b --tensors", "every tensor with its role"},
            {"stemma inspect --sheet models.tsv", "all models of a table"},
            {"stemma inspect --sheet models.tsv --findings", "what is odd about them, as a table"},
            {"stemma inspect runs/demo", "the models of an archive"}};
  }

  void declare(CLI::App& app) override {
    app.add_option("targets", targets_, "model directories or files, archives, run directories")
        ->type_name("TARGET...");
    app.add_option("--sheet", sheet_, "a table of models")->type_name("FILE");
    declare_list(app, list_);
    app.add_flag("--redact-paths", redact_, "shorten absolute paths, to show the rest to others");
    declare_pick(app, pick_);
    std::vector<CLI::Option*> parts{
        app.add_flag("--tensors", tensors_, "list every tensor with its role, too"),
        app.add_flag("--findings", findings_, "only what is odd or wrong, as a table"),
        app.add_flag("--declared", declared_, "only what is said about descent, by whom, as a table"),
        app.add_flag("--features", features_, "only what was measured, of archives, as a table")};
    for (std::size_t i = 0; i < parts.size(); ++i)
      for (std::size_t j = i + 1; j < parts.size(); ++j) parts[i]->excludes(parts[j]);
  }

  ExitCode execute(const Invocation& invocation, const World&) override {
    part_ = findings_   ? Shown::findings
            : declared_ ? Shown::declared
            : features_ ? Shown::features
                        : Shown::everything;
    std::vector<Word> models;
    std::vector<std::string> archives;
    for (const Word& word : words_of(targets_, list_))
      if (is_archive(word.text))
        archives.push_back(word.text);
      else
        models.push_back(word);
    for (const std::string& archive : archives)
      show_archive(archive, archives.size() > 1 ? archive + ":" : "", invocation);
    bool usable = true;
    if (!models.empty() || !sheet_.empty() || (targets_.empty() && list_.empty())) {
      const Configuration configuration = adhoc_configuration(models, sheet_, "inspect");
      std::vector<std::string> notes = configuration.notes;
      auto requests = requested_models(configuration.config, notes);
      keep_picked(pick_, requests);
      if (features_)
        throw UsageError(
            fmt::format("{} is no archive, and --features shows what was measured. Measure it first: stemma "
                        "fingerprint MODEL... -o NAME.h5",
                        printable(requests.front().id)));
      Log log(true);
      for (const std::string& note : notes) log.warn(note);
      const auto tables = ArchitectureTables::shipped_and(architectures_of(configuration.config, invocation));
      std::vector<SurveyedModel> surveyed = survey(requests, tables);
      if (redact_) redact(surveyed);
      for (const SurveyedModel& s : surveyed) {
        usable &= s.model.has_value();
        show_model(s, invocation);
      }
    }
    if (invocation.json) {
      const Json targets = part_ == Shown::everything ? documents_ : part_json(parts_, part_);
      const Json document{{"schema", "stemma.inspect/1"}, {"stemma", version_text}, {"targets", targets}};
      fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
    } else if (part_ != Shown::everything) {
      fmt::print("{}", part_table(parts_, part_));
    }
    return usable ? ExitCode::done : invocation.strict ? ExitCode::invalid : ExitCode::partial;
  }

 private:
  void show_archive(const std::string& target, const std::string& prefix, const Invocation& invocation) {
    if (part_ != Shown::everything)
      parts_.push_back(part_of_archive(target, part_, prefix, redact_));
    else if (invocation.json)
      documents_.push_back(archive_json(target));
    else
      print_archive(target);
  }

  void show_model(const SurveyedModel& model, const Invocation& invocation) {
    if (part_ != Shown::everything)
      parts_.push_back(part_of(model, part_));
    else if (invocation.json)
      documents_.push_back(as_json(model));
    else
      print_model(model, tensors_);
  }

  std::vector<std::string> targets_;
  std::string sheet_, list_, pick_;
  bool redact_ = false, tensors_ = false, findings_ = false, declared_ = false, features_ = false;
  Shown part_ = Shown::everything;
  Json documents_ = Json::array();
  std::vector<PartOfTarget> parts_;
};

}  // namespace

std::unique_ptr<Command> inspect_command() { return std::make_unique<InspectCommand>(); }

}  // namespace stemma
