// stemma plan: who would do what, how long should it take, and what would not fit? Headers only, no MPI.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "io/config/yaml_values.hpp"
#include "pipeline/commands/batch_script.hpp"
#include "pipeline/commands/plan_items.hpp"
#include "pipeline/commands/plan_text.hpp"
#include "pipeline/commands/request.hpp"
#include "pipeline/commands/usage_sentence.hpp"
#include "pipeline/json_document.hpp"

namespace stemma {
namespace {

/// Whatever part of them a launcher gave to this process.
int cores_of_machine() { return std::max(1, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN))); }

class PlanCommand final : public Command {
 public:
  std::string_view name() const override { return "plan"; }
  std::string_view summary() const override {
    return "say what a run would do on any number of ranks, and how long; no weight is read";
  }
  std::vector<Example> examples() const override {
    return {{"stemma plan configs/demo.yaml", "what the demo needs on this machine"},
            {"stemma plan audit.yaml --ranks 64,256,1024", "one column for each number of ranks"},
            {"stemma plan audit.yaml --ranks 256 --memory-per-rank 3GiB", "does everything fit?"},
            {"stemma plan audit.yaml --ranks 256 --sbatch > job.sh", "a script to submit"}};
  }

  void declare(CLI::App& app) override {
    app.add_option("arguments", arguments_,
                   "a configuration file, then overrides: key=value, key+=value, ~key")
        ->required()
        ->type_name("CONFIG [key=value...]");
    app.add_option("--ranks", ranks_, "numbers of ranks, separated by commas")
        ->delimiter(',')
        ->allow_extra_args(false)  // what follows is an override
        ->check(number_in(1, 1'000'000))
        ->type_name("N,...")
        ->default_str("cores of this machine");
    app.add_option("--memory-per-rank", memory_, "what a rank may use, such as 3GiB")
        ->type_name("SIZE")
        ->default_str("its share of this machine");
    app.add_option("--ranks-per-node", ranks_per_node_, "ranks on each machine")
        ->check(number_in(1, 1'000'000))
        ->type_name("N")
        ->default_str("cores of this machine");
    app.add_option("--calibration", calibration_, "rates that a run measured: its calibration.json")
        ->type_name("FILE")
        ->default_str("built-in");
    app.add_flag("--redact-paths", redact_, "shorten absolute paths, to show the rest to others");
    CLI::Option* items = app.add_flag("--items", items_,
                                      "every item as a table, longest first: tensors, ranks, seconds, bytes");
    app.add_flag("--sbatch", sbatch_, "print a script for Slurm with the numbers of the plan")
        ->excludes(items);
  }

  ExitCode execute(const Invocation& invocation, const World&) override {
    std::vector<Word> words = words_of(arguments_);
    if (!calibration_.empty())
      words.push_back({"runtime.calibration=" + calibration_, "--calibration", true});
    if (!memory_.empty()) words.push_back({"runtime.memory_per_rank=" + memory_, "--memory-per-rank", true});
    if (redact_) words.push_back({"report.redact_paths=true", "--redact-paths", true});
    if ((items_ || sbatch_) && ranks_.size() > 1)
      throw UsageError(fmt::format("{} is of one number of ranks, and --ranks names {}. Choose one",
                                   items_ ? "--items" : "--sbatch", ranks_.size()));
    const ConfiguredRuns runs = read_configuration(words);
    const Configuration configuration = runs.at(0);
    std::vector<std::string> notes = configuration.notes;
    const AuditRequest request = request_of(configuration, invocation, notes);
    Log log(true);
    for (const std::string& note : notes) log.warn(note);
    const int cores = invocation.launch.cores;
    const PlannedRun run = planned(request, ranks_.empty() ? std::vector<int>{cores} : ranks_,
                                   ranks_per_node_ > 0 ? ranks_per_node_ : cores_of_machine());
    print(runs.series, request, run, words, invocation);
    return run.good() ? ExitCode::done : request.strict ? ExitCode::invalid : ExitCode::partial;
  }

 private:
  void print(const RunSeries& series, const AuditRequest& request, const PlannedRun& run,
             const std::vector<Word>& words, const Invocation& invocation) const {
    const Plan& plan = run.plans.front();
    const std::string script = sbatch_ ? batch_script(job_of(series, request, words, invocation), plan) : "";
    if (invocation.json) {
      auto document = plan_json(series, 0, run);
      if (items_) document["items"] = items_json(run.models, plan);
      if (sbatch_) document["sbatch"] = script;
      fmt::print("{}", json_text(document));
    } else if (items_) {
      fmt::print("{}", items_table(run.models, plan));
    } else if (sbatch_) {
      fmt::print("{}", script);
    } else {
      print_plan(series, 0, run);
    }
  }

  /// Paths begin where sbatch is called, as they do here: the configuration is named as it was.
  static BatchJob job_of(const RunSeries& series, const AuditRequest& request, const std::vector<Word>& words,
                         const Invocation& invocation) {
    BatchJob job{.command = invocation.command_line(),
                 .points = series.is_sweep() ? series.size() : 0,
                 .memory_is_set = request.memory_per_rank.has_value(),
                 .scripts = shipped_scripts()};
    for (const bool changes : {false, true})
      for (const Word& word : words)
        if (word.changes == changes) job.words.push_back(word.text);
    return job;
  }

  std::vector<std::string> arguments_;
  std::vector<int> ranks_;
  std::string memory_, calibration_;
  int ranks_per_node_ = 0;
  bool redact_ = false;
  bool items_ = false, sbatch_ = false;
};

}  // namespace

std::unique_ptr<Command> plan_command() { return std::make_unique<PlanCommand>(); }

}  // namespace stemma
