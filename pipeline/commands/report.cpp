// stemma report: what an archive holds, as one page. No weight is read.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "io/report/tsv.hpp"
#include "pipeline/commands/command.hpp"
#include "pipeline/commands/target.hpp"
#include "pipeline/commands/usage_sentence.hpp"
#include "pipeline/json_document.hpp"
#include "pipeline/page_files.hpp"
#include "pipeline/version.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;

class ReportCommand final : public Command {
 public:
  std::string_view name() const override { return "report"; }
  std::string_view summary() const override {
    return "write one page, with tables and figures, of what an archive holds; no weight is read";
  }
  std::vector<Example> examples() const override {
    return {{"stemma report runs/demo", "runs/demo/report.html, which needs no network"},
            {"stemma report family.h5 -o family.html", "of an archive that lies elsewhere"},
            {"stemma report runs/demo --pair aspen cedar-code -o dossier.html",
             "the evidence for one pair, to hand over"},
            {"stemma report runs/demo --labels names.tsv", "other names for people: columns id and label"}};
  }

  void declare(CLI::App& app) override {
    app.add_option("archive", target_,
                   "an archive or a run directory; several archives are merged first (stemma merge)")
        ->required()
        ->type_name("ARCHIVE");
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
    const fs::path archive = archive_at(target_);
    if (!pair_.empty() && output_.empty())
      throw UsageError("--pair makes a page of its own. Name it with --output");
    const fs::path page = output_.empty() ? archive.parent_path() / "report.html" : fs::path(output_);
    if (!labels_.empty())
      for (const auto& row : read_tsv(labels_, {"id", "label"})) wishes_.labels.emplace_back(row[0], row[1]);
    if (!pair_.empty()) wishes_.pair = {pair_.at(0), pair_.at(1)};
    const WrittenPage written = [&] {
      try {
        return write_page(archive, page, wishes_);
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
  std::string target_, output_, labels_;
  std::vector<std::string> pair_;
  PageWishes wishes_;
};

}  // namespace

std::unique_ptr<Command> report_command() { return std::make_unique<ReportCommand>(); }

}  // namespace stemma
