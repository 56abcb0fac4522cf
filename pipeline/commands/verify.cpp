// stemma verify: is a checkpoint or an archive what it must be? All complaints, not only the first.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "analyzers/distributed/unison.hpp"
#include "io/config/presence.hpp"
#include "pipeline/commands/adhoc.hpp"
#include "pipeline/commands/derive_again.hpp"
#include "pipeline/commands/soundness.hpp"
#include "pipeline/commands/target.hpp"
#include "pipeline/version.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_of_a_complaint = 4000;

class VerifyCommand final : public Command {
 public:
  std::string_view name() const override { return "verify"; }
  std::string_view summary() const override {
    return "check checkpoints and archives strictly and list every complaint";
  }
  std::vector<Example> examples() const override {
    return {{"stemma verify runs/demo", "is every byte of the archive sound?"},
            {"stemma verify models/llama-7b", "is the checkpoint whole?"},
            {"stemma verify runs/demo --expect truth.tsv", "does it say what is known?"},
            {"stemma verify runs/demo --against runs/demo/demo-reproduced", "are their results the same?"},
            {"mpirun -n 8 stemma verify runs/demo --deep", "do the weights still say so?"}};
  }
  /// Without --deep nothing is computed that many ranks could share.
  bool parallel() const override { return deep_; }
  bool heeds_signals() const override { return deep_; }

  void declare(CLI::App& app) override {
    app.add_option("targets", targets_, "archives, run directories, model directories or files")
        ->required()
        ->type_name("TARGET...");
    CLI::Option* hash = app.add_flag(
        "--hash", hash_, "only compute canonical_exact and canonical_all of an archive and print them");
    app.add_option("--against", against_,
                   "another archive: do both hold the same results, and where do they part?")
        ->type_name("ARCHIVE")
        ->excludes(hash);
    app.add_option("--expect", sheet_, "a table with columns a, b, relation: are these pairs so related?")
        ->type_name("FILE")
        ->excludes(hash);
    app.add_flag("--hashes", hashes_,
                 "read every file of the models and compare its SHA-256 with the recorded one")
        ->excludes(hash);
    app.add_flag("--deep", deep_,
                 "--hashes, and the run behind an archive once more: do weights still say so?")
        ->excludes(hash);
    app.add_option("--inputs", inputs_, "where the models of an archive lie now, by id")->type_name("DIR");
    app.footer(fmt::format(
        "Relations of --expect: classes such as SAME_LINEAGE, or words for what was done, namely\n{}.\n"
        "Several may stand in one cell with | between them.",
        fmt::join(words_for_deeds(), ", ")));
  }

  ExitCode execute(const Invocation& invocation, const World& world) override {
    std::vector<Report> reports;
    if (!deep_) {
      reports = reports_on(words_of(targets_), invocation);
    } else {
      in_unison(world.all(), "verifying", [&] {
        if (world.all().leads()) reports = reports_on(words_of(targets_), invocation);
      });
      derive_all(reports, invocation, world);
      if (!world.all().leads()) return ExitCode::done;
    }
    if (invocation.json) {
      print_json(reports);
    } else {
      for (const Report& report : reports) hash_ ? print_hashes(report) : print_text(report);
    }
    return std::ranges::all_of(reports, &Report::sound) ? ExitCode::done : ExitCode::invalid;
  }

 private:
  void require_archive(const std::string& target) const {
    if (is_archive(target) || !why_absent(target).empty()) return;  // archive_at says what is absent
    throw UsageError(fmt::format("{} is no archive; {} is for archives alone", printable(target),
                                 hash_              ? "--hash"
                                 : against_.empty() ? "--expect"
                                                    : "--against"));
  }

  bool archives_only() const { return hash_ || !against_.empty() || !sheet_.empty(); }

  std::vector<Report> reports_on(const std::vector<Word>& targets, const Invocation& invocation) const {
    if (!inputs_.empty() && !hashes_ && !deep_)
      throw UsageError("--inputs is for --hashes and --deep, which read the models of an archive again");
    if (archives_only())
      for (const Word& target : targets) require_archive(target.text);
    const auto tables = ArchitectureTables::shipped_and(architectures_of(bare_config({}), invocation));
    std::vector<Report> reports;
    std::optional<Report> other;
    if (!against_.empty()) other = verify_archive(archive_at(against_), Depth::hashes);
    for (const Word& target : targets) {
      Report& report = reports.emplace_back(
          archives_only() || is_archive(target.text)
              ? verify_archive(archive_at(target.text), hash_ ? Depth::hashes : Depth::all)
              : verify_checkpoint(target.text, tables));
      if (other) hold_one_against(report, *other);
      if (!sheet_.empty()) hold_to(report, sheet_);
      if ((hashes_ || deep_) && report.sound()) read_files(report, tables);
    }
    if (other && !other->sound()) reports.push_back(std::move(*other));
    return reports;
  }

  void read_files(Report& report, const ArchitectureTables& tables) const {
    if (deep_ && report.kind == "archive") hold_to_checkpoints(report, inputs_, tables);
    hold_to_files(report, inputs_);
    const FileHashes& files = *report.files;
    if (deep_ || report.kind != "archive" || files.stated > 0 || files.files.empty()) return;
    report.complaints.emplace_back(
        "verify.no_hash: it records no SHA-256, so no file was held to one. Make it with "
        "analyzers.content.sha256=true, or compare what every tensor holds with --deep");
  }

  /// Collective; `reports` are rank 0's. One after the other: each uses all ranks.
  void derive_all(std::vector<Report>& reports, const Invocation& invocation, const World& world) const {
    std::vector<Report*> sound;
    for (Report& report : reports)
      if (report.kind == "archive" && report.sound()) sound.push_back(&report);
    const auto archives = static_cast<std::size_t>(world.all().all_reduce_sum(double(sound.size())));
    Log log(world.all().leads());
    for (std::size_t i = 0; i < archives; ++i) {
      const bool mine = i < sound.size();  // rank 0
      auto derived = derive_again(world, mine ? sound[i]->target : "", inputs_, invocation, log);
      if (mine) take_derived(*sound[i], std::move(*derived));
    }
  }

  /// Hashes that do not hold are not said, so that no script takes them.
  static void print_hashes(const Report& report) {
    if (report.complaints.empty())
      fmt::print("canonical_exact {}\ncanonical_all {}\n", report.hashes.exact, report.hashes.all);
    for (const std::string& line : report.complaints) fmt::print(stderr, "{}\n", line_of(report, line));
  }

  static std::string line_of(const Report& report, const std::string& line) {
    return fmt::format("{}: {}", printable(report.target, most_of_a_complaint),
                       printable(line, most_of_a_complaint));
  }

  static void print_text(const Report& report) {
    for (const auto* list : {&report.complaints, &report.remarks})
      for (const std::string& line : *list) fmt::print("{}\n", line_of(report, line));
    std::vector<std::string> found{report.sound() ? "is sound"
                                                  : "has " + counted(report.complaints.size(), "complaint")};
    if (!report.against.relation.empty()) found.push_back("against the other: " + report.against.relation);
    if (report.expectation)
      found.push_back(fmt::format("{} of {} as expected",
                                  report.expectation->pairs - report.expectation->differing.size(),
                                  counted(report.expectation->pairs, "pair")));
    if (report.files)
      found.push_back(fmt::format("{} of {} with the SHA-256 that was stated", report.files->equal,
                                  counted(report.files->files.size(), "file")));
    if (report.derived) found.push_back(fmt::format("derived again: {}", report.derived->against.relation));
    fmt::print("{}: {} {}\n", printable(report.target, most_of_a_complaint), report.kind,
               fmt::join(found, "; "));
    if (report.derived)
      for (const std::string& line : report.derived->lines) fmt::print("  derived  {}\n", line);
  }

  static void print_json(const std::vector<Report>& reports) {
    Json list = Json::array();
    for (const Report& r : reports)
      list.push_back({{"target", r.target},
                      {"kind", r.kind},
                      {"complaints", r.complaints},
                      {"remarks", r.remarks},
                      {"canonical_exact", r.hashes.exact},
                      {"canonical_all", r.hashes.all},
                      {"against", r.against.relation}});
    for (std::size_t i = 0; i < reports.size(); ++i)
      if (!reports[i].against.relation.empty()) list[i]["difference"] = difference_json(reports[i].against);
    for (std::size_t i = 0; i < reports.size(); ++i) {
      if (reports[i].files) list[i]["files"] = files_json(*reports[i].files);
      if (reports[i].derived) list[i]["derived"] = derived_json(*reports[i].derived);
      if (!reports[i].expectation) continue;
      Json differing = Json::array();
      for (const Unexpected& one : reports[i].expectation->differing)
        differing.push_back({{"a", one.a},
                             {"b", one.b},
                             {"expected", one.expected},
                             {"found", one.found.empty() ? Json(nullptr) : Json(one.found)}});
      list[i]["expectation"] = {{"pairs", reports[i].expectation->pairs}, {"differing", differing}};
    }
    const Json document{{"schema", "stemma.verify/1"}, {"stemma", version_text}, {"targets", list}};
    fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
  }

  static Json files_json(const FileHashes& hashes) {
    Json files = Json::array();
    const auto or_null = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
    for (const HashedFile& file : hashes.files)
      files.push_back({{"model", or_null(file.model)},
                       {"path", file.place.string()},
                       {"sha256", or_null(file.found)},
                       {"stated", or_null(file.stated)},
                       {"stated_by", or_null(file.source)}});
    return files;
  }

  static Json derived_json(const Reproduced& derived) {
    return {{"agrees", derived.against.agreement != Agreement::different},
            {"inputs", derived.inputs},
            {"inputs_with_recorded_hashes", derived.same_inputs},
            {"other_methods", derived.other_methods},
            {"difference", difference_json(derived.against)}};
  }

  std::vector<std::string> targets_;
  std::string against_, sheet_, inputs_;
  bool hash_ = false, hashes_ = false, deep_ = false;
};

}  // namespace

std::unique_ptr<Command> verify_command() { return std::make_unique<VerifyCommand>(); }

}  // namespace stemma
