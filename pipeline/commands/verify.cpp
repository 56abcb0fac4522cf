// stemma verify: is a checkpoint or an archive what it must be? All complaints, not only the first.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "analyzers/histogram.hpp"
#include "io/archive/archive_reader.hpp"
#include "io/archive/archive_validator.hpp"
#include "io/formats/open_checkpoint.hpp"
#include "io/model/architecture.hpp"
#include "pipeline/commands/adhoc.hpp"
#include "pipeline/commands/target.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

using Json = nlohmann::ordered_json;

/// What was found out about one target.
struct Report {
  std::string target, kind;
  std::vector<std::string> complaints;  ///< any of them makes the target invalid
  std::vector<std::string> remarks;     ///< warnings and notes
  ArchiveHashes hashes;
  std::string relation;  ///< to --against: "equal", "exact part equal", "different"
};

/// Moments of every tensor, recomputed from its histogram and compared bit by bit.
void check_all_moments(const ArchiveReader& archive, std::vector<std::string>& complaints) {
  for (std::size_t m = 0; m < archive.models().size(); ++m) {
    const std::vector<TensorRow> rows = archive.tensors(m);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const auto features = archive.histogram(archive.models()[m].first_tensor + r);
      if (!features) continue;
      for (const std::string& problem : check_histogram(*features, rows[r].dtype))
        complaints.push_back(fmt::format("{} {}: archive.moments: {}", archive.models()[m].id,
                                         printable(rows[r].name), problem));
    }
  }
}

Report verify_archive(const std::filesystem::path& path, const std::string& against) {
  Report report{.target = path.string(), .kind = "archive"};
  for (const Complaint& complaint : validate(path)) report.complaints.push_back(sentence(complaint));
  if (!report.complaints.empty()) return report;
  const ArchiveReader archive(path);
  report.hashes = archive.hashes();
  check_all_moments(archive, report.complaints);
  if (!against.empty()) {
    const ArchiveHashes other = ArchiveReader(archive_at(against)).hashes();
    report.relation = other == report.hashes               ? "equal"
                      : other.exact == report.hashes.exact ? "exact part equal, features of methods differ"
                                                           : "different";
    if (other.exact != report.hashes.exact)
      report.complaints.push_back(fmt::format("verify.different: canonical_exact {} there, {} here",
                                              other.exact, report.hashes.exact));
  }
  return report;
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
    return {{"stemma verify runs/demo", "is the archive sound, to the last byte?"},
            {"stemma verify models/llama-7b", "is the checkpoint whole?"},
            {"stemma verify runs/demo --against runs/second", "do two archives hold the same results?"}};
  }

  void declare(CLI::App& app) override {
    app.add_option("targets", targets_, "archives, run directories, model directories or files")
        ->required()
        ->type_name("TARGET...");
    app.add_flag("--hash", hash_, "print canonical_exact and canonical_all of an archive, nothing else");
    app.add_option("--against", against_, "another archive: are the canonical hashes equal?")
        ->type_name("ARCHIVE");
  }

  ExitCode execute(const Invocation& invocation, const World&) override {
    if (hash_) return print_hashes();
    const auto tables = ArchitectureTables::shipped_and(architectures_of(bare_config({}), invocation));
    std::vector<Report> reports;
    for (const std::string& target : targets_)
      reports.push_back(is_archive(target) ? verify_archive(archive_at(target), against_)
                                           : verify_checkpoint(target, tables));
    bool sound = true;
    for (const Report& report : reports) sound &= report.complaints.empty();
    if (invocation.json) {
      print_json(reports);
    } else {
      for (const Report& report : reports) print_text(report);
    }
    return sound ? ExitCode::done : ExitCode::invalid;
  }

 private:
  ExitCode print_hashes() const {
    for (const std::string& target : targets_) {
      const ArchiveHashes hashes = ArchiveReader(archive_at(target)).hashes();
      fmt::print("canonical_exact {}\ncanonical_all {}\n", hashes.exact, hashes.all);
    }
    return ExitCode::done;
  }

  static void print_text(const Report& report) {
    for (const auto* list : {&report.complaints, &report.remarks})
      for (const std::string& line : *list) fmt::print("{}: {}\n", report.target, line);
    fmt::print(
        "{}: {} {}{}\n", report.target, report.kind,
        report.complaints.empty() ? "is sound" : "has " + counted(report.complaints.size(), "complaint"),
        report.relation.empty() ? "" : "; against the other: " + report.relation);
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
                      {"against", r.relation}});
    const Json document{{"schema", "stemma.verify/1"}, {"targets", list}};
    fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
  }

  std::vector<std::string> targets_;
  std::string against_;
  bool hash_ = false;
};

}  // namespace

std::unique_ptr<Command> verify_command() { return std::make_unique<VerifyCommand>(); }

}  // namespace stemma
