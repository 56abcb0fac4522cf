// stemma verify: is a checkpoint or an archive what it must be? All complaints, not only the first.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "analyzers/histogram.hpp"
#include "io/archive/archive_reader.hpp"
#include "io/archive/archive_validator.hpp"
#include "io/archive/layout.hpp"
#include "io/config/presence.hpp"
#include "io/formats/open_checkpoint.hpp"
#include "io/model/architecture.hpp"
#include "pipeline/commands/adhoc.hpp"
#include "pipeline/commands/against.hpp"
#include "pipeline/commands/expectation.hpp"
#include "pipeline/commands/target.hpp"
#include "pipeline/version.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_of_a_line = 4000;

/// What was found out about one target.
struct Report {
  std::string target, kind;
  std::vector<std::string> complaints;  ///< any of them makes the target invalid
  std::vector<std::string> remarks;     ///< warnings and notes
  ArchiveHashes hashes;
  Against against;  ///< relation "" without --against
  std::optional<Expectation> expectation;
};

/// Moments of every tensor, recomputed from its histogram and compared bit by bit.
void check_all_moments(const ArchiveReader& archive, std::vector<std::string>& complaints) {
  for (std::size_t m = 0; m < archive.models().size(); ++m) {
    const std::vector<TensorRow> rows = archive.tensors(m);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const auto features = archive.histogram(archive.models()[m].first_tensor + r);
      if (!features) continue;
      for (const std::string& problem : check_histogram(*features, rows[r].dtype))
        complaints.push_back(fmt::format("{} {}: archive.moments: {}", printable(archive.models()[m].id),
                                         printable(rows[r].name), problem));
    }
  }
}

/// How much of an archive is looked at.
enum class Depth : std::uint8_t { hashes, all };

/// The canonical hashes are those that the columns give: stored ones that differ are a complaint.
Report verify_archive(const std::filesystem::path& path, Depth depth) {
  Report report{.target = path.string(), .kind = "archive"};
  for (const Complaint& complaint : validate(path)) report.complaints.push_back(sentence(complaint));
  if (!report.complaints.empty()) return report;
  const ArchiveReader archive(path);
  report.hashes = archive.hashes();
  if (const std::string version = archive.attribute("stemma_archive"); version != layout::version)
    (depth == Depth::hashes ? report.complaints : report.remarks)
        .push_back(
            fmt::format("archive.version: the canonical hashes of version {} cannot be computed by this "
                        "program, which knows {}; the stored ones are not checked",
                        printable(version), layout::version));
  if (depth == Depth::all) check_all_moments(archive, report.complaints);
  return report;
}

void hold_one_against(Report& report, const Report& other) {
  if (!report.complaints.empty()) return;
  if (!other.complaints.empty()) {
    report.complaints.push_back(fmt::format("verify.against: nothing was compared, because {} is not sound",
                                            printable(other.target)));
    return;
  }
  report.against = hold_against(report.target, other.target);
  for (const std::string& line : report.against.differing)
    report.complaints.push_back("verify.different: " + line);
  for (const std::string& line : report.against.rounding)
    report.remarks.push_back("verify.rounding: " + line);
}

void hold_to(Report& report, const std::string& sheet) {
  if (!report.complaints.empty()) return;
  report.expectation = hold_to(ArchiveReader(report.target, SealCheck::trust), sheet);
  for (const Unexpected& one : report.expectation->differing)
    report.complaints.push_back("verify.unexpected: " + sentence(one));
}

Report verify_checkpoint(const std::string& location, const ArchitectureTables& tables) {
  Report report{.target = location, .kind = "checkpoint"};
  std::vector<Finding> findings;
  try {
    const Model model = tables.canonicalise(open_checkpoint(location));
    findings = model.checkpoint.findings;
    findings.insert(findings.end(), model.findings.begin(), model.findings.end());
  } catch (const UnreadableModel& error) {
    findings = error.findings();
    if (findings.empty()) findings.push_back(error.finding());
  }
  for (Finding& f : findings) {
    if (f.file == location) f.file.clear();  // the line begins with it
    (f.severity == Severity::error ? report.complaints : report.remarks)
        .push_back(fmt::format("{}: {}", name_of(f.severity), sentence(f)));
  }
  return report;
}

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
            {"stemma verify runs/demo --against runs/demo/demo-reproduced", "are their results the same?"}};
  }

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
    app.footer(fmt::format(
        "Relations of --expect: classes such as SAME_LINEAGE, or words for what was done, namely\n{}.\n"
        "Several may stand in one cell with | between them.",
        fmt::join(words_for_deeds(), ", ")));
  }

  ExitCode execute(const Invocation& invocation, const World&) override {
    const std::vector<Word> targets = words_of(targets_);
    if (archives_only())
      for (const Word& target : targets) require_archive(target.text);
    const std::vector<Report> reports = reports_on(targets, invocation);
    bool sound = true;
    for (const Report& report : reports) sound &= report.complaints.empty();
    if (invocation.json) {
      print_json(reports);
    } else {
      for (const Report& report : reports) hash_ ? print_hashes(report) : print_text(report);
    }
    return sound ? ExitCode::done : ExitCode::invalid;
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
    std::vector<Report> reports;
    if (archives_only()) {
      std::optional<Report> other;
      if (!against_.empty()) other = verify_archive(archive_at(against_), Depth::hashes);
      for (const Word& target : targets) {
        reports.push_back(verify_archive(archive_at(target.text), hash_ ? Depth::hashes : Depth::all));
        if (other) hold_one_against(reports.back(), *other);
        if (!sheet_.empty()) hold_to(reports.back(), sheet_);
      }
      if (other && !other->complaints.empty()) reports.push_back(std::move(*other));
      return reports;
    }
    const auto tables = ArchitectureTables::shipped_and(architectures_of(bare_config({}), invocation));
    for (const Word& target : targets)
      reports.push_back(is_archive(target.text) ? verify_archive(archive_at(target.text), Depth::all)
                                                : verify_checkpoint(target.text, tables));
    return reports;
  }

  /// Hashes that do not hold are not said, so that no script takes them.
  static void print_hashes(const Report& report) {
    if (report.complaints.empty())
      fmt::print("canonical_exact {}\ncanonical_all {}\n", report.hashes.exact, report.hashes.all);
    for (const std::string& line : report.complaints) fmt::print(stderr, "{}\n", line_of(report, line));
  }

  static std::string line_of(const Report& report, const std::string& line) {
    return fmt::format("{}: {}", printable(report.target, most_of_a_line), printable(line, most_of_a_line));
  }

  static void print_text(const Report& report) {
    for (const auto* list : {&report.complaints, &report.remarks})
      for (const std::string& line : *list) fmt::print("{}\n", line_of(report, line));
    fmt::print(
        "{}: {} {}{}{}\n", printable(report.target, most_of_a_line), report.kind,
        report.complaints.empty() ? "is sound" : "has " + counted(report.complaints.size(), "complaint"),
        report.against.relation.empty() ? "" : "; against the other: " + report.against.relation,
        report.expectation ? fmt::format("; {} of {} as expected",
                                         report.expectation->pairs - report.expectation->differing.size(),
                                         counted(report.expectation->pairs, "pair"))
                           : "");
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

  std::vector<std::string> targets_;
  std::string against_, sheet_;
  bool hash_ = false;
};

}  // namespace

std::unique_ptr<Command> verify_command() { return std::make_unique<VerifyCommand>(); }

}  // namespace stemma
