// stemma plan: who would do what, how long should it take, and what would not fit? Headers only, no MPI.
#include <CLI/CLI.hpp>

#include "io/config/yaml_values.hpp"
#include "pipeline/commands/plan_text.hpp"
#include "pipeline/commands/request.hpp"

namespace stemma {
namespace {

class PlanCommand final : public Command {
 public:
  std::string_view name() const override { return "plan"; }
  std::string_view summary() const override { return "what a run would do on any number of ranks; reads headers only"; }

  void declare(CLI::App& app) override {
    app.add_option("arguments", arguments_, "configuration file, then overrides")
        ->required()
        ->type_name("CONFIG [key=value...]");
    app.add_option("--ranks", ranks_, "numbers of ranks to plan for, by comma")
        ->delimiter(',')
        ->check(CLI::Range(1, 1'000'000))
        ->default_str("cores of this machine");
    app.add_option("--memory-per-rank", memory_, "what a rank may use: 3GiB; default: its share of this machine");
  }

  ExitCode execute(const Invocation& invocation, const World&) override {
    std::vector<std::string> arguments = arguments_;
    if (!memory_.empty()) arguments.push_back("runtime.memory_per_rank=" + memory_);
    const Configuration configuration = read_configuration(arguments);
    std::vector<std::string> notes;
    const AuditRequest request = request_of(configuration, invocation, notes);
    const int cores = invocation.launch.cores;
    const bool good = print_plan(request, ranks_.empty() ? std::vector<int>{cores} : ranks_, invocation.json, cores);
    return good ? ExitCode::done : request.strict ? ExitCode::invalid : ExitCode::partial;
  }

 private:
  std::vector<std::string> arguments_;
  std::vector<int> ranks_;
  std::string memory_;
};

}  // namespace

std::unique_ptr<Command> plan_command() { return std::make_unique<PlanCommand>(); }

}  // namespace stemma
