// stemma compare: what do fingerprints say about every pair? From archives alone, no weight is read.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "analyzers/curve_score.hpp"
#include "io/archive/archive_reader.hpp"
#include "pipeline/commands/request.hpp"
#include "pipeline/commands/target.hpp"
#include "pipeline/outputs.hpp"
#include "pipeline/summary.hpp"

namespace stemma {
namespace {

/// Archives named by themselves, by a run directory, or as ARCHIVE:id for one of their models.
struct Operand {
  std::filesystem::path archive;
  std::string id;
};

Operand operand_of(const std::string& text) {
  const auto colon = text.rfind(':');
  if (!std::filesystem::exists(text) && colon != std::string::npos && std::filesystem::exists(text.substr(0, colon)))
    return {archive_at(text.substr(0, colon)), text.substr(colon + 1)};
  return {archive_at(text), ""};
}

std::vector<Fingerprint> fingerprints_of(const std::vector<std::string>& arguments) {
  std::vector<Fingerprint> all;
  for (const std::string& argument : arguments) {
    const Operand operand = operand_of(argument);
    bool found = operand.id.empty();
    for (Fingerprint& f : ArchiveReader(operand.archive).fingerprints()) {
      if (!operand.id.empty() && f.id != operand.id) continue;
      found = true;
      all.push_back(std::move(f));
    }
    if (!found)
      throw UsageError(fmt::format("{} holds no model {}", operand.archive.string(), printable(operand.id)));
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  for (std::size_t i = 1; i < all.size(); ++i)
    if (all[i].id == all[i - 1].id)
      throw UsageError(fmt::format("two archives hold a model called {}. Compare ARCHIVE:id operands that differ",
                                   printable(all[i].id)));
  return all;
}

class CompareCommand final : public Command {
 public:
  std::string_view name() const override { return "compare"; }
  std::string_view summary() const override { return "compare fingerprints from archives, all pairs; no weight is read"; }

  void declare(CLI::App& app) override {
    app.add_option("archives", arguments_, "archives, run directories, ARCHIVE:id, and overrides (compare.KEY=value)")
        ->required()
        ->type_name("ARCHIVE...");
    app.add_option("--pairs", pairs_, "a table with columns a and b: only these pairs");
  }

  ExitCode execute(const Invocation& invocation, const World&) override {
    std::vector<std::string> operands;
    std::vector<Override> overrides;
    for (std::size_t i = 0; i < arguments_.size(); ++i)
      if (is_override(arguments_[i]) && !std::filesystem::exists(arguments_[i])) {
        overrides.push_back({arguments_[i], fmt::format("argument {}", i + 1)});
      } else {
        operands.push_back(arguments_[i]);
      }
    std::vector<std::string> notes;
    // The comparison's own keys keep their reader, their bounds and their messages.
    const RunConfig config =
        parse_run_config("{schema_version: 1, name: compare, models: [none]}", "command line", overrides, notes);
    ComparisonPlan plan = comparison_of(config);
    if (!pairs_.empty()) {
      plan.which = ComparisonPlan::Which::listed;
      plan.listed = read_pair_list(pairs_);
    }
    const std::vector<Fingerprint> models = fingerprints_of(operands);
    const Comparison comparison = compare(models, plan);
    if (invocation.json) {
      fmt::print("{}", comparison_json(models, comparison));
    } else if (comparison.pairs.size() == 1) {
      const Pair& pair = comparison.pairs.front();
      fmt::print("{}", pair_summary(models[pair.a], models[pair.b], pair));
    } else {
      fmt::print("{}", pairs_table(models, comparison));
      fmt::print(stderr, "{}\n", curve_score_caveat());
    }
    return ExitCode::done;
  }

 private:
  std::vector<std::string> arguments_;
  std::string pairs_;
};

}  // namespace

std::unique_ptr<Command> compare_command() { return std::make_unique<CompareCommand>(); }

}  // namespace stemma
