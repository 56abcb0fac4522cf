// stemma compare: what do fingerprints say about every pair? From archives alone, no weight is read.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "analyzers/curve_score.hpp"
#include "io/config/presence.hpp"
#include "pipeline/commands/adhoc.hpp"
#include "pipeline/commands/operands.hpp"
#include "pipeline/outputs.hpp"
#include "pipeline/pair_text.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

std::vector<std::string> ids_of(const std::vector<Fingerprint>& models) {
  std::vector<std::string> ids;
  for (const Fingerprint& model : models) ids.push_back(model.id);
  return ids;
}

class CompareCommand final : public Command {
 public:
  std::string_view name() const override { return "compare"; }
  std::string_view summary() const override {
    return "compare the models of archives, pair by pair; no weight is read";
  }
  std::vector<Example> examples() const override {
    return {{"stemma compare runs/demo", "all pairs of a run, as a table"},
            {"stemma compare family.h5:llama-7b uploads.h5:acme-7b", "every test of one pair"},
            {"stemma compare family.h5 uploads.h5 --pairs suspects.tsv", "the pairs of a list"},
            {"stemma compare family.h5 compare.background=none", "an override, as in a configuration"}};
  }

  void declare(CLI::App& app) override {
    app.add_option("archives", arguments_,
                   "archives, run directories, :id for one model; overrides: compare.KEY=value")
        ->required()
        ->type_name("ARCHIVE[:id]...");
    app.add_option("--pairs", pairs_, "a table with columns a and b: only these pairs")->type_name("FILE");
  }

  ExitCode execute(const Invocation& invocation, const World&) override {
    std::vector<std::string> operands;
    std::vector<Override> overrides;
    for (const Word& word : words_of(arguments_))
      if (word.changes && !why_absent(word.text).empty()) {
        overrides.push_back(word.as_override());
      } else {
        operands.push_back(word.text);
      }
    const RunConfig config = bare_config(overrides);
    ComparisonPlan plan = comparison_of(config);
    std::string list = plan.which == ComparisonPlan::Which::listed ? config.compare.list : "";
    if (!pairs_.empty()) {
      plan.which = ComparisonPlan::Which::listed;
      plan.listed = read_pair_list(pairs_);
      list = pairs_;
    }
    const std::vector<Fingerprint> models = models_of(operands);
    check_pair_list(plan.listed, list, ids_of(models));
    const std::vector<Fingerprint> company = company_of(operands);
    Comparison comparison(models, std::move(plan), company);
    comparison.recall(weight_verdicts_of(operands, models));
    if (invocation.json) {
      fmt::print("{}", comparison_json(models, comparison));
    } else if (comparison.size() == 1) {
      const Pair pair = comparison.with_evidence(0);
      fmt::print("{}", pair_summary(models[pair.a], models[pair.b], pair));
    } else {
      fmt::print("{}", pairs_table(models, comparison));
      fmt::print(stderr, "{}, {}. {}\n", counted(models.size(), "model"), counted(comparison.size(), "pair"),
                 comparison.size() == 0 ? "There is nothing to compare." : curve_score_caveat());
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
