// stemma run: everything that a configuration asks for, on all ranks.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "analyzers/distributed/unison.hpp"
#include "pipeline/commands/plan_text.hpp"
#include "pipeline/commands/reproduce.hpp"
#include "pipeline/commands/request.hpp"
#include "pipeline/outputs.hpp"
#include "pipeline/run_directory.hpp"
#include "pipeline/summary.hpp"
#include "pipeline/version.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

class RunCommand final : public Command {
 public:
  std::string_view name() const override { return "run"; }
  std::string_view summary() const override {
    return "do all that a configuration asks for: read the models, archive, compare";
  }
  std::vector<Example> examples() const override {
    return {{"stemma run configs/demo.yaml", "the demo, on one rank"},
            {"mpirun -n 4 stemma run audit.yaml", "the same on four ranks; srun works as well"},
            {"stemma run audit.yaml seed=2 --output runs/second", "a key changed, in another directory"},
            {"stemma run audit.yaml --dry-run", "only say what would be done"},
            {"stemma run --reproduce runs/demo", "what an archive says, once more, and compared"}};
  }
  bool parallel() const override { return true; }

  void declare(CLI::App& app) override {
    CLI::Option* arguments =
        app.add_option("arguments", arguments_,
                       "a configuration file, then overrides: key=value, key+=value, ~key")
            ->required()
            ->type_name("CONFIG [key=value...]");
    app.add_flag("--fresh", fresh_, "move an existing run directory aside (NAME.old-1) and begin anew");
    app.add_flag("--dry-run", dry_run_, "print the plan and read no weight");
    app.add_option("--output", output_, "run directory, instead of the configured one")->type_name("DIR");
    CLI::Option* reproduce = app.add_option("--reproduce", reproduce_,
                                            "instead of CONFIG: do what an archive says again, and compare")
                                 ->type_name("ARCHIVE")
                                 ->each([arguments](const std::string&) { arguments->required(false); });
    app.add_option("--inputs", inputs_, "where the models of that archive lie now, by id")
        ->type_name("DIR")
        ->needs(reproduce);
  }

  ExitCode execute(const Invocation& invocation, const World& world) override {
    const bool leads = world.all().leads();
    Log log(leads);
    std::optional<AuditRequest> request;
    in_unison(world.all(), "reading the configuration", [&] {
      if (!leads) return;
      std::vector<std::string> notes;
      if (!reproduce_.empty()) reproduction_.emplace(reproduce_, inputs_, words_of(arguments_));
      Configuration configuration =
          reproduction_ ? reproduction_->configuration() : read_configuration(arguments_);
      if (!output_.empty()) configuration.config.output = output_;
      notes = configuration.notes;
      log.limit_to(verbosity_of(configuration.config, invocation));
      request = request_of(configuration, invocation, notes);
      if (reproduction_) reproduction_->limit(*request);
      if (dry_run_) return;
      directory_.emplace(configuration.config.output, configuration.config,
                         fresh_ ? ExistingRun::set_aside : ExistingRun::keep);
      log.copy_to(directory_->log());
      request->archive = directory_->archive(configuration.config.name);
      request->store = directory_->store();
      request->leftovers = Leftovers::kept;
      request->status_file = directory_->status();
      directory_->write("config.yaml", configuration.original);
      directory_->write("overrides.txt", configuration.overrides);
      directory_->write("status.json", status_json("start", 0, 0, 0, 0, -1));
      greet(log, invocation, world, *directory_, *request);
      for (const std::string& note : notes) log.warn(note);
    });
    ExitCode code = ExitCode::done;
    if (dry_run_) {
      in_unison(world.all(), "planning", [&] {
        if (leads && !print_plan(*request, {world.all().size()}, invocation.json, invocation.launch.cores))
          code = request->strict ? ExitCode::invalid : ExitCode::partial;
      });
      return code;
    }
    const std::optional<AuditResult> result = audit(world, request ? &*request : nullptr, log);
    in_unison(world.all(), "writing the tables", [&] {
      if (!leads) return;
      if (result->plan.model != request->rates)
        directory_->write("calibration.json", to_json(result->plan.model));
      write_outputs(*directory_, *result, *request);
      code = result->code;
      std::optional<Reproduced> reproduced;
      if (reproduction_) reproduced = reproduction_->hold(request->archive);
      if (reproduced && reproduced->against.agreement == Agreement::different) code = ExitCode::invalid;
      directory_->write("status.json",
                        status_json("end", result->plan.items.size() - result->plan.infeasible.size(),
                                    result->plan.items.size(), result->bytes_read, result->failures.size(),
                                    static_cast<int>(code)));
      say_the_end(log, *result);
      if (reproduced) {
        print(*reproduced, request->archive, invocation.json);
      } else if (invocation.json) {
        fmt::print("{}", verdicts_json(*result, *request));
      } else {
        fmt::print("{}  Tables, log and archive: {}\n", verdict_summary(*result, request->labels),
                   printable(directory_->path().string(), 4000));
      }
      directory_.reset();  // the run is whole, whatever becomes of the words about it
    });
    return code;
  }

  void ended_badly(ExitCode code) noexcept override {
    if (!directory_) return;
    try {
      directory_->write("status.json", status_json("failed", 0, 0, 0, 0, static_cast<int>(code)));
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the disk may be what failed
    }
  }

 private:
  static void greet(Log& log, const Invocation& invocation, const World& world, const RunDirectory& directory,
                    const AuditRequest& request) {
    log.info("start",
             fmt::format("stemma {} ({}, {}), archive format 1.0.0", version_text, commit_text, build_text));
    log.info("start", fmt::format("command: {}", invocation.command_line()));
    log.info("start", fmt::format("{} named, {}, output {}", counted(request.models.size(), "model"),
                                  counted(request.questions.size(), "question"), directory.path().string()));
    log.info("start",
             fmt::format("{}, MPI library: {}",
                         counted(static_cast<std::uint64_t>(world.all().size()), "rank"), world.library()));
    for (const ModelRequest& model : request.models)
      log.debug("start", fmt::format("model {}: {}", model.id, printable(model.path)));
  }

  static void say_the_end(Log& log, const AuditResult& result) {
    std::size_t whole = 0;
    for (const Fingerprint& f : result.fingerprints) whole += f.status == Status::ok;
    log.info("end",
             fmt::format("{} of {} whole, {}{}; exit {}", whole, counted(result.fingerprints.size(), "model"),
                         counted(result.failures.size(), "failure"),
                         result.failures.empty() ? "" : " (failures.tsv)", static_cast<int>(result.code)));
  }

  static void print(const Reproduced& reproduced, const std::filesystem::path& archive, bool json) {
    if (json) return fmt::print("{}\n", reproduced_json(reproduced, archive).dump(2));
    for (const std::string& line : reproduced.lines) fmt::print("reproduce  {}\n", line);
    fmt::print("reproduce  {}\n", printable(archive.string(), 4000));
  }

  std::vector<std::string> arguments_;
  std::string output_, reproduce_, inputs_;
  std::optional<Reproduction> reproduction_;  ///< of rank 0
  bool fresh_ = false, dry_run_ = false;
  std::optional<RunDirectory> directory_;  ///< of rank 0, while the run goes on
};

}  // namespace

std::unique_ptr<Command> run_command() { return std::make_unique<RunCommand>(); }

}  // namespace stemma
