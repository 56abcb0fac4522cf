// stemma report: what an archive holds, as one page. No weight is read.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "io/report/tsv.hpp"
#include "pipeline/commands/command.hpp"
#include "pipeline/commands/merger.hpp"
#include "pipeline/commands/passing_directory.hpp"
#include "pipeline/commands/usage_sentence.hpp"
#include "pipeline/json_document.hpp"
#include "pipeline/page_files.hpp"
#include "pipeline/version.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_labels_named = 20;

class ReportCommand final : public Command {
 public:
  std::string_view name() const override { return "report"; }
  std::string_view summary() const override {
    return "write one page, with tables and figures, of what an archive holds; no weight is read";
  }
  std::vector<Example> examples() const override {
    return {{"stemma report runs/demo", "runs/demo/report.html, which needs no network"},
            {"stemma report family.h5 -o family.html", "of an archive that lies elsewhere"},
            {"stemma report family.h5 uploads.h5 -o all.html", "of several, as if they were merged"},
            {"stemma report runs/demo --pair aspen cedar-code -o dossier.html",
             "the evidence for one pair, to hand over"},
            {"stemma report runs/demo --labels names.tsv", "other names for people: columns id and label"}};
  }

  void declare(CLI::App& app) override {
    app.add_option("archives", targets_, "an archive or a run directory; several are merged for the page")
        ->required()
        ->type_name("ARCHIVE...");
    app.add_option("-o,--output", output_, "page to write (default: report.html beside the archive)")
        ->type_name("FILE");
    app.add_option("--pair", pair_, "a page of these two models alone")->type_name("A B")->expected(2);
    app.add_option("--labels", labels_, "a table with columns id and label: names for people")
        ->type_name("FILE");
    app.add_option("--title", wishes_.title, "heading of the page (default: name of the run)")
        ->type_name("TEXT");
    app.add_option("--theme", wishes_.theme, "auto, light or dark")
        ->check(one_of({"auto", "light", "dark"}))
        ->type_name("HOW")
        ->default_str("auto");
    app.add_flag("--redact-paths", wishes_.redact,
                 "shorten paths, and leave out users and machines; the archive keeps them");
  }

  ExitCode execute(const Invocation& invocation, const World&) override {
    const std::vector<fs::path> archives = archives_of(words_of(targets_));
    if (!pair_.empty() && output_.empty())
      throw UsageError("--pair makes a page of its own. Name it with --output");
    if (archives.size() > 1 && output_.empty())
      throw UsageError("the page of several archives lies beside none of them. Name it with --output");
    const fs::path page =
        output_.empty() ? archives.front().parent_path() / "report.html" : fs::path(output_);
    if (!pair_.empty()) wishes_.pair = {pair_.at(0), pair_.at(1)};
    std::optional<PassingDirectory> merging;
    fs::path archive = archives.front();
    if (archives.size() > 1) {
      merging.emplace(fs::temp_directory_path(), "report");
      archive = merging->path() / "merged.h5";
      Merger(archives).write(archive);
      wishes_.source = names_of(archives);
    }
    if (!labels_.empty()) take_labels(archive);
    const WrittenPage written = [&] {
      try {
        return write_page(archive, {page}, wishes_);
      } catch (const NoSuchPair& e) {
        throw UsageError(e.what());
      }
    }();
    if (invocation.json)
      fmt::print("{}", json_text(nlohmann::ordered_json{{"schema", "stemma.report/1"},
                                                        {"stemma", version_text},
                                                        {"page", written.page.string()},
                                                        {"bytes", written.bytes},
                                                        {"sentences", written.sentences}}));
    else
      fmt::print("{}\n{}\n", fmt::join(written.sentences, "\n"), printable(written.page.string(), 4000));
    return ExitCode::done;
  }

 private:
  /// "family.h5, uploads.h5"
  static std::string names_of(const std::vector<fs::path>& archives) {
    std::vector<std::string> names;
    for (const fs::path& archive : archives) names.push_back(archive.filename().string());
    return fmt::format("{}", fmt::join(names, ", "));
  }

  /// A table of names may be older or younger than the archive, so ids that are not there are said, once.
  void take_labels(const fs::path& archive) {
    std::vector<std::string> known, unknown;
    const ArchiveReader reader(archive, SealCheck::trust);  // the page looks at the seal
    for (const ModelRow& model : reader.models()) known.push_back(model.id);
    for (const auto& row : read_tsv(labels_, {"id", "label"})) {
      if (std::ranges::find(known, row[0]) == known.end()) unknown.push_back(printable(row[0]));
      wishes_.labels.emplace_back(row[0], row[1]);
    }
    if (unknown.empty()) return;
    const std::size_t more = unknown.size() > most_labels_named ? unknown.size() - most_labels_named : 0;
    unknown.resize(unknown.size() - more);
    Log(true).warn(fmt::format("{} names {} that no model has: {}{}", printable(labels_),
                               counted(unknown.size() + more, "id"), fmt::join(unknown, ", "),
                               more ? fmt::format(" and {} more", more) : ""));
  }

  std::vector<std::string> targets_;
  std::string output_, labels_;
  std::vector<std::string> pair_;
  PageWishes wishes_;
};

}  // namespace

std::unique_ptr<Command> report_command() { return std::make_unique<ReportCommand>(); }

}  // namespace stemma
