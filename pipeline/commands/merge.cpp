// stemma merge: the models of several archives in one. No weight is read.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "pipeline/commands/command.hpp"
#include "pipeline/commands/merger.hpp"
#include "pipeline/version.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t most_of_an_output = 4000;

fs::path place_of(const std::string& output, const std::vector<fs::path>& sources) {
  if (output.empty()) throw UsageError("--output is empty. Name the archive to write");
  const fs::path path = fs::absolute(output);
  std::error_code error;
  for (const fs::path& source : sources)
    if (fs::equivalent(path, source, error))
      throw UsageError(
          fmt::format("{} is one of the archives to merge, and archives are never changed. Name "
                      "another one to write",
                      printable(output)));
  if (fs::exists(path, error))
    throw UsageError(
        fmt::format("{} exists. Name another archive to write, or move it away", printable(output)));
  return path;
}

class MergeCommand final : public Command {
 public:
  std::string_view name() const override { return "merge"; }
  std::string_view summary() const override {
    return "put the models of several archives into one; no weight is read";
  }
  std::vector<Example> examples() const override {
    return {
        {"stemma merge family.h5 uploads.h5 -o m.h5", "archives that were made apart"},
        {"stemma merge runs/demo runs/second -o both.h5", "of runs; with other results a model is ID@RUN"}};
  }

  void declare(CLI::App& app) override {
    app.add_option("archives", arguments_, "archives or run directories, two or more")
        ->required()
        ->type_name("ARCHIVE...");
    app.add_option("-o,--output", output_, "archive to write; it must not exist")
        ->required()
        ->type_name("FILE");
  }

  ExitCode execute(const Invocation& invocation, const World&) override {
    const std::vector<fs::path> paths = archives_of(words_of(arguments_));
    if (paths.size() < 2)
      throw UsageError(fmt::format("two archives or more are wanted, one was given ({})",
                                   printable(paths.front().string())));
    const fs::path output = place_of(output_, paths);
    const Merger merger(paths);
    const MergeOutcome outcome = merger.write(output);
    if (invocation.json)
      print_json(output, merger, outcome);
    else
      print_text(output, merger, outcome);
    return ExitCode::done;
  }

 private:
  static void print_text(const fs::path& output, const Merger& merger, const MergeOutcome& outcome) {
    const auto& [sources, plan, across] = merger.parts();
    fmt::print("{}\n", printable(output.string(), most_of_an_output));
    fmt::print("{} of {}, {}, {} of them compared anew\n", counted(plan.models.size(), "model"),
               counted(sources.size(), "archive"), counted(outcome.pairs, "pair"),
               across.compared.pairs.size());
    fmt::print("canonical_exact {}\ncanonical_all {}\n", outcome.hashes.exact, outcome.hashes.all);
    if (!plan.repeated.empty())
      fmt::print("{} in more than one archive, with equal exact results\n",
                 counted(plan.repeated.size(), "model"));
    if (outcome.repeated_pairs > 0)
      fmt::print("{} compared by more than one archive: the fullest evidence was kept\n",
                 counted(outcome.repeated_pairs, "pair"));
    for (const Renaming& renaming : plan.renamings)
      fmt::print("{} is not one model (other {}): {}\n", printable(renaming.id), renaming.reason,
                 fmt::join(renaming.ids, ", "));
    if (!across.asked)
      fmt::print("no archive holds pairs, so none were compared; stemma compare does that\n");
    if (across.left_out > 0)
      fmt::print("{} across archives not compared: their methods or their comparisons differ\n",
                 counted(across.left_out, "pair"));
  }

  static void print_json(const fs::path& output, const Merger& merger, const MergeOutcome& outcome) {
    const auto& [sources, plan, across] = merger.parts();
    Json from = Json::array();
    for (const MergeSource& source : sources)
      from.push_back({{"archive", source.path().string()},
                      {"canonical_exact", source.attribute("canonical_exact")},
                      {"canonical_all", source.attribute("canonical_all")}});
    Json renamed = Json::array();
    for (const Renaming& r : plan.renamings)
      renamed.push_back({{"id", r.id}, {"other", r.reason}, {"ids", r.ids}});
    const Json document{{"schema", "stemma.merge/1"},
                        {"stemma", version_text},
                        {"archive", output.string()},
                        {"canonical_exact", outcome.hashes.exact},
                        {"canonical_all", outcome.hashes.all},
                        {"sources", from},
                        {"models", plan.models.size()},
                        {"repeated", plan.repeated},
                        {"renamed", renamed},
                        {"pairs", outcome.pairs},
                        {"pairs_compared", across.compared.pairs.size()},
                        {"pairs_not_compared", across.left_out}};
    fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
  }

  std::vector<std::string> arguments_;
  std::string output_;
};

}  // namespace

std::unique_ptr<Command> merge_command() { return std::make_unique<MergeCommand>(); }

}  // namespace stemma
