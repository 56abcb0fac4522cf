// stemma compare: what do fingerprints say about every pair? From archives alone, no weight is read.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "analyzers/curve_score.hpp"
#include "analyzers/distributed/unison.hpp"
#include "io/config/key_table.hpp"
#include "io/config/presence.hpp"
#include "pipeline/commands/adhoc.hpp"
#include "pipeline/commands/operands.hpp"
#include "pipeline/commands/request.hpp"
#include "pipeline/commands/usage_sentence.hpp"
#include "pipeline/counted_stage.hpp"
#include "pipeline/neuron_stage.hpp"
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

std::vector<std::string> names_of_tests() {
  std::vector<std::string> names;
  for (const Key* key : keys_below("compare.tests")) names.emplace_back(last_step(key->path));
  return names;
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
    app.add_option("--tests", tests_, fmt::format("only these: {}", fmt::join(names_of_tests(), ", ")))
        ->check(one_of(names_of_tests()))
        ->delimiter(',')
        ->allow_extra_args(false)
        ->type_name("NAME,...");
    app.add_option("--pairs", pairs_, "a table with columns a and b: only these pairs")->type_name("FILE");
  }

  bool parallel() const override { return true; }

  ExitCode execute(const Invocation& invocation, const World& world) override {
    const Communicator& ranks = world.all();
    Log log(ranks.leads());
    std::optional<CountedStage> stage;
    in_unison(ranks, "reading the archives", [&] {
      if (!ranks.leads()) return;
      read_archives(invocation, log);
      if (asks_neurons_)
        stage.emplace(log, "compare", "pairs by neurons", pairs_of_models_.size(), progress_);
    });
    std::vector<NeuronAgreement> neurons;
    if (ranks.all_reduce_sum(asks_neurons_ ? 1 : 0) > 0)
      neurons = compare_neurons_together(ranks, models_, pairs_of_models_, plan_.rule.share,
                                         stage ? &stage->done() : nullptr);
    stage.reset();
    in_unison(ranks, "comparing", [&] {
      if (!ranks.leads()) return;
      stage.emplace(log, "compare", "pairs", pairs_of_models_.size(), progress_);
      const LineageRule rule = plan_.rule;
      Comparison comparison(models_, std::move(plan_), company_, std::move(neurons), &stage->done());
      stage.reset();
      show(invocation, comparison, rule);
    });
    return ExitCode::done;
  }

 private:
  /// It stands before the other overrides, which may give options to these tests.
  Override only_these_tests() const {
    std::vector<std::string> entries;
    for (const std::string& test : tests_) entries.push_back(test + ": {}");
    return {fmt::format("compare.tests={{{}}}", fmt::join(entries, ", ")), "--tests"};
  }

  void read_archives(const Invocation& invocation, Log& log) {
    std::vector<Override> overrides;
    for (const Word& word : words_of(arguments_))
      if (word.changes && !why_absent(word.text).empty()) {
        overrides.push_back(word.as_override());
      } else {
        operands_.push_back(word.text);
      }
    if (!tests_.empty()) overrides.insert(overrides.begin(), only_these_tests());
    const RunConfig config = bare_config(overrides);
    log.limit_to(verbosity_of(config, invocation));
    progress_ = progress_of(config, invocation);
    plan_ = comparison_of(config);
    std::string list = plan_.which == ComparisonPlan::Which::listed ? config.compare.list : "";
    if (!pairs_.empty()) {
      plan_.which = ComparisonPlan::Which::listed;
      plan_.listed = read_pair_list(pairs_);
      list = pairs_;
    }
    models_ = models_of(operands_);
    check_pair_list(plan_.listed, list, ids_of(models_));
    company_ = company_of(operands_);
    check_independent(company_.empty() ? models_ : company_, plan_.independent);
    pairs_of_models_ = chosen_pairs(models_, plan_);
    asks_neurons_ = plan_.tests.contains("neuron_match");
  }

  /// Verdicts on weights are repeated from archives, which do not hold all that another rule would ask.
  static void say_what_stays(const Comparison& comparison, const LineageRule& rule) {
    std::size_t stays = 0;
    for (std::size_t i = 0; i < comparison.size(); ++i) stays += comparison.confirmed(i);
    if (stays == 0 || rule == LineageRule{}) return;
    fmt::print(stderr, "{} {} the verdict of the run that read the weights, by its own rule.\n",
               counted(stays, "pair"), stays == 1 ? "keeps" : "keep");
  }

  void show(const Invocation& invocation, Comparison& comparison, const LineageRule& rule) const {
    comparison.recall(weight_verdicts_of(operands_, models_));
    say_what_stays(comparison, rule);
    if (invocation.json) {
      fmt::print("{}", comparison_json(models_, comparison));
    } else if (comparison.size() == 1) {
      const Pair pair = comparison.with_evidence(0);
      fmt::print("{}", pair_summary(models_[pair.a], models_[pair.b], pair));
    } else {
      fmt::print("{}", pairs_table(models_, comparison));
      fmt::print(stderr, "{}, {}. {}\n", counted(models_.size(), "model"), counted(comparison.size(), "pair"),
                 comparison.size() == 0 ? "There is nothing to compare." : curve_score_caveat());
    }
  }

  std::vector<std::string> arguments_;
  std::vector<std::string> tests_;
  std::string pairs_;
  std::vector<std::string> operands_;
  ComparisonPlan plan_;
  std::vector<Fingerprint> models_, company_;
  ModelPairs pairs_of_models_;
  bool asks_neurons_ = false;
  ProgressTerms progress_;
};

}  // namespace

std::unique_ptr<Command> compare_command() { return std::make_unique<CompareCommand>(); }

}  // namespace stemma
