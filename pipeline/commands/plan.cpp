// stemma plan: who would do what, how long should it take, and what would not fit? Headers only, no MPI.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "io/config/yaml_values.hpp"
#include "pipeline/commands/plan_text.hpp"
#include "pipeline/commands/request.hpp"
#include "pipeline/commands/usage_sentence.hpp"

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
            {"stemma plan audit.yaml --ranks 256 --memory-per-rank 3GiB", "does everything fit?"}};
  }

  void declare(CLI::App& app) override {
    app.add_option("arguments", arguments_,
                   "a configuration file, then overrides: key=value, key+=value, ~key")
        ->required()
        ->type_name("CONFIG [key=value...]");
    app.add_option("--ranks", ranks_, "numbers of ranks, separated by commas")
        ->delimiter(',')
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
  }

  ExitCode execute(const Invocation& invocation, const World&) override {
    std::vector<Word> words = words_of(arguments_);
    if (!calibration_.empty())
      words.push_back({"runtime.calibration=" + calibration_, "--calibration", true});
    if (!memory_.empty()) words.push_back({"runtime.memory_per_rank=" + memory_, "--memory-per-rank", true});
    if (redact_) words.push_back({"report.redact_paths=true", "--redact-paths", true});
    const ConfiguredRuns runs = read_configuration(words);
    const Configuration configuration = runs.at(0);
    std::vector<std::string> notes = configuration.notes;
    const AuditRequest request = request_of(configuration, invocation, notes);
    Log log(true);
    for (const std::string& note : notes) log.warn(note);
    const int cores = invocation.launch.cores;
    const bool good = print_plan(runs.series, 0, request, ranks_.empty() ? std::vector<int>{cores} : ranks_,
                                 invocation.json, ranks_per_node_ > 0 ? ranks_per_node_ : cores_of_machine());
    return good ? ExitCode::done : request.strict ? ExitCode::invalid : ExitCode::partial;
  }

 private:
  std::vector<std::string> arguments_;
  std::vector<int> ranks_;
  std::string memory_, calibration_;
  int ranks_per_node_ = 0;
  bool redact_ = false;
};

}  // namespace

std::unique_ptr<Command> plan_command() { return std::make_unique<PlanCommand>(); }

}  // namespace stemma
