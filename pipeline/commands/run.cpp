// stemma run: everything that a configuration asks for, on all ranks, one run after the other.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>
#include <numeric>

#include "analyzers/distributed/unison.hpp"
#include "io/archive/sha256.hpp"
#include "io/config/key_table.hpp"
#include "io/config/moment.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/commands/chosen_part.hpp"
#include "pipeline/commands/final_outputs.hpp"
#include "pipeline/commands/log_copy.hpp"
#include "pipeline/commands/plan_text.hpp"
#include "pipeline/commands/receipt.hpp"
#include "pipeline/commands/reproduce.hpp"
#include "pipeline/commands/request.hpp"
#include "pipeline/commands/sweep_text.hpp"
#include "pipeline/commands/usage_sentence.hpp"
#include "pipeline/greeting.hpp"
#include "pipeline/json_document.hpp"
#include "pipeline/outputs.hpp"
#include "pipeline/run_directory.hpp"
#include "pipeline/status.hpp"
#include "pipeline/summary.hpp"
#include "pipeline/sweep_directory.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

/// What a launcher is told of several runs: 85 (stopped early) outranks 4 (failed in part), which outranks 0.
ExitCode worse(ExitCode a, ExitCode b) { return std::max(a, b); }

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
            {"stemma run configs/sweep.yaml --point 3", "one point of a sweep"},
            {"stemma run --reproduce runs/demo", "what an archive says, once more, and compared"}};
  }
  bool parallel() const override { return true; }
  bool heeds_signals() const override { return true; }

  void declare(CLI::App& app) override {
    CLI::Option* arguments =
        app.add_option("arguments", arguments_,
                       "a configuration file, then overrides: key=value, key+=value, ~key")
            ->required()
            ->type_name("CONFIG [key=value...]");
    app.add_flag("--fresh", fresh_, "move an existing run directory aside (NAME.old-1) and begin anew");
    CLI::Option* dry_run = app.add_flag("--dry-run", dry_run_, "print the plan and read no weight");
    app.add_option("--deadline", deadline_, "when it has to have ended: +4h, @1795228378, none")
        ->type_name("TIME");
    app.add_option("--deadline-margin", margin_, "instead of runtime.deadline_margin")->type_name("DURATION");
    app.add_option("--output", output_, "run directory, instead of the configured one")->type_name("DIR");
    CLI::Option* store =
        app.add_option("--store", store_, "where results are kept and looked for, instead of runtime.store")
            ->type_name("DIR");
    CLI::Option* shard =
        app.add_option("--shard", shard_, "one of N parts of the work, from 0; the last makes the archive")
            ->type_name("I/N");
    CLI::Option* until =
        app.add_option("--until", until_, "end after archive (no pairs) or compare (no weights read again)")
            ->check(one_of({"archive", "compare"}))
            ->type_name("STAGE");
    CLI::Option* point =
        app.add_option("--point", point_, "only this point of a sweep, counted from 0, or all")
            ->check(point_or_all())
            ->type_name("K|all");
    CLI::Option* reproduce = app.add_option("--reproduce", reproduce_,
                                            "instead of CONFIG: do what an archive says again, and compare")
                                 ->type_name("ARCHIVE")
                                 ->each([arguments](const std::string&) { arguments->required(false); });
    // Results that are known would be held against themselves.
    for (CLI::Option* other : {dry_run, store, shard, until, point}) reproduce->excludes(other);
    app.add_option("--inputs", inputs_, "where the models of that archive lie now, by id")
        ->type_name("DIR")
        ->needs(reproduce);
    app.add_flag("--rehash", rehash_, "read all weights again, even of files that have not changed since");
    app.add_flag("--redact-paths", redact_, "shorten paths, leave out users and machines where others read");
    log_copy_.declare(app);
    receipt_.declare(app);
  }

  ExitCode execute(const Invocation& invocation, const World& world) override {
    const bool leads = world.all().leads();
    in_unison(world.all(), "reading the configuration", [&] {
      if (!leads) return;
      receipt_.begin();
      choose_runs();
    });
    if (dry_run_) return plan(invocation, world);
    const auto runs =
        static_cast<std::size_t>(world.all().all_reduce_sum(leads ? double(chosen_.size()) : 0));
    ExitCode code = ExitCode::done;
    for (std::size_t i = 0; i < runs; ++i) code = worse(code, run(leads ? chosen_[i] : 0, invocation, world));
    in_unison(world.all(), "showing the points", [&] {
      if (leads) show_the_points(invocation);
    });
    return code;
  }

  void ended_badly(ExitCode code) noexcept override {
    if (!directory_) return;
    try {
      const bool stopped =
          code == ExitCode::stopped || code == ExitCode::done;  // done: as far as a shard goes
      const char* stage = stopped ? "stopped" : "failed";
      directory_->write("status.json",
                        ended_status_json(directory_->status(), stage, static_cast<int>(code)));
      record_the_end(code, "");
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the disk may be what failed
    }
  }

  void ended(ExitCode code) noexcept override { receipt_.write(code); }

 private:
  /// Options for keys are overrides that come last.
  std::vector<Word> with_overrides() const {
    std::vector<Word> words = words_of(arguments_);
    // All points of a sweep have one end: "+4h" is counted from here.
    std::string end = deadline_;
    if (const auto moment = moment_from(end); moment && moment->kind == Moment::Kind::after)
      end = fmt::format("@{}", std::time(nullptr) + std::llround(moment->seconds));
    if (!end.empty()) words.push_back({"runtime.deadline=" + quoted_text(end), "--deadline", true});
    if (!margin_.empty()) words.push_back({"runtime.deadline_margin=" + margin_, "--deadline-margin", true});
    if (rehash_) words.push_back({"runtime.rehash=true", "--rehash", true});
    if (redact_) words.push_back({"report.redact_paths=true", "--redact-paths", true});
    return words;
  }

  /// Rank 0: what is asked for, and in which directory.
  void choose_runs() {
    part_ = shard_from(shard_);
    if (!reproduce_.empty()) {
      reproduction_.emplace(reproduce_, inputs_, with_overrides());
      chosen_ = {0};
      return;
    }
    runs_.emplace(read_configuration(with_overrides()));
    const RunSeries& series = runs_->series;
    if (!series.is_sweep()) {
      if (!point_.empty())
        throw UsageError("--point is for sweeps, and this configuration has none. Remove it");
      chosen_ = {0};
      return;
    }
    const std::string configured = runs_->at(0).config.output;
    sweep_.emplace(output_.empty() ? configured : output_, series);
    if (point_.empty() || point_ == "all") {
      chosen_.resize(series.size());
      std::iota(chosen_.begin(), chosen_.end(), std::size_t{0});
    } else if (const std::size_t point = std::stoul(point_); point < series.size()) {
      chosen_ = {point};
    }
    if (chosen_.size() > 1 && part_.count > 1)
      throw UsageError("--shard is for one run. Choose a point of this sweep with --point");
  }

  static void refuse_a_past_end(const TimeLimit& limit) {
    if (!limit.has_passed()) return;
    throw UsageError(fmt::format("{}, and it is {} now. Give a later --deadline or runtime.deadline, or none",
                                 limit.reason(), utc_now()));
  }

  /// Rank 0: one of the runs, with the places that were given beside the configuration.
  Configuration configuration_of(std::size_t index) const {
    Configuration run = reproduction_ ? reproduction_->configuration() : runs_->at(index);
    if (reproduction_) run.config.runtime.store.clear();
    if (!store_.empty()) run.config.runtime.store = store_;
    if (sweep_) {
      run.config.output = sweep_->directory(index).string();
      if (run.config.runtime.store.empty()) run.config.runtime.store = sweep_->store().string();
    } else if (!output_.empty()) {
      run.config.output = output_;
    }
    return run;
  }

  /// Collective. Of a sweep the first of the chosen points is planned.
  ExitCode plan(const Invocation& invocation, const World& world) {
    ExitCode code = ExitCode::done;
    in_unison(world.all(), "planning", [&] {
      if (!world.all().leads()) return;
      if (chosen_.empty()) return show_nothing_to_do(invocation);
      const Configuration configuration = configuration_of(chosen_.front());
      std::vector<std::string> notes = configuration.notes;
      const AuditRequest request = request_of(configuration, invocation, notes);
      Log log(true);
      for (const std::string& note : notes) log.warn(note);
      const PlannedRun run = planned(request, {world.all().size()}, invocation.launch.cores);
      if (invocation.json)
        fmt::print("{}", json_text(plan_json(runs_->series, chosen_.front(), run)));
      else
        print_plan(runs_->series, chosen_.front(), run);
      if (!run.good()) code = request.strict ? ExitCode::invalid : ExitCode::partial;
    });
    return code;
  }

  /// Collective; `index` is rank 0's, and so is the exit code of a run that failed in part.
  ExitCode run(std::size_t index, const Invocation& invocation, const World& world) {
    const bool leads = world.all().leads();
    Log log(leads);
    std::optional<AuditRequest> request;
    in_unison(world.all(), "preparing the run directory", [&] {
      if (leads) request = begin(index, invocation, world, log);
    });
    const std::optional<AuditResult> result = audit(world, request ? &*request : nullptr, log);
    ExitCode code = ExitCode::done;
    in_unison(world.all(), "writing the tables", [&] {
      if (!leads) return;
      code = end(*result, *request, invocation, log);
    });
    return code;
  }

  AuditRequest begin(std::size_t index, const Invocation& invocation, const World& world, Log& log) {
    const Configuration configuration = configuration_of(index);
    std::vector<std::string> notes = configuration.notes;
    log.limit_to(verbosity_of(configuration.config, invocation));
    log_copy_.begin(log);
    AuditRequest request = request_of(configuration, invocation, notes);
    if (reproduction_) reproduction_->limit(request);
    if (request.earlier == EarlierResults::checked && part_.count > 1)
      throw UsageError(
          "--shard goes by the results of other shards, which --rehash (runtime.rehash) does not. "
          "Leave one of them out");
    if (until_ == "archive") leave_out_pairs(request);
    if (until_ == "compare") request.trace.reset();
    if (index != chosen_.front())
      request.limit.work_was_done();  // at points before
    else
      refuse_a_past_end(request.limit);
    directory_.emplace(configuration.config.output, configuration.config,
                       fresh_ ? ExistingRun::set_aside : ExistingRun::keep);
    log.copy_to(directory_->log());
    request.archive = directory_->archive(configuration.config.name);
    request.store = directory_->store();
    request.shard = part_;
    request.scratch = directory_->scratch();
    request.leftovers = Leftovers::kept;
    request.progress.status_file = directory_->status();
    directory_->write("config.yaml", configuration.original);
    directory_->write("overrides.txt", configuration.overrides);
    directory_->write("status.json", status_json({.stage = "start", .deadline = request.limit.end_text()}));
    running_ = index;
    record_ = {.started = utc_now(), .exit_code = {}, .seconds = {}, .canonical_exact = {}};
    watch_ = Stopwatch();
    if (sweep_) sweep_->write(index, record_);
    greet(log, invocation, world, *directory_, request);
    if (sweep_) greet_the_point(index, configuration, log);
    for (const std::string& note : notes) log.warn(note);
    return request;
  }

  ExitCode end(const AuditResult& result, const AuditRequest& request, const Invocation& invocation,
               Log& log) {
    if (result.plan.model != request.rates) directory_->write("calibration.json", to_json(result.plan.model));
    const std::filesystem::path page = leave_outputs(*directory_, result, request, log);
    std::optional<Reproduced> reproduced;
    if (reproduction_) reproduced = reproduction_->hold(request.archive);
    const bool differs = reproduced && reproduced->against.agreement == Agreement::different;
    const ExitCode code = differs ? ExitCode::invalid : result.code;
    directory_->write("status.json",
                      status_json({.stage = "end",
                                   .done = result.plan.items.size() - result.plan.infeasible.size(),
                                   .total = result.plan.items.size(),
                                   .bytes = result.bytes_read,
                                   .deadline = request.limit.end_text(),
                                   .failed = result.failures.size(),
                                   .exit_code = static_cast<int>(code)}));
    directory_->remove_leftovers();
    record_the_end(code, result.hashes.exact);
    receipt_.add(result.provenance.uuid);
    say_the_end(log, result);
    if (!until_.empty())
      log.info("end", fmt::format("--until {}: the same command without it goes on from here", until_));
    if (reproduced) {
      print(*reproduced, request.archive, invocation.json);
    } else if (chosen_.size() == 1) {
      if (invocation.json) {
        fmt::print("{}", verdicts_json(result, request));
      } else {
        fmt::print("{}{}", verdict_summary(result, request.labels), places(page));
      }
    }
    directory_.reset();  // the run is whole, whatever becomes of the words about it
    return code;
  }

  /// Where everything lies, for the last lines on the screen.
  std::string places(const std::filesystem::path& page) const {
    const std::string directory = printable(directory_->path().string(), 4000);
    if (page.empty()) return fmt::format("  Tables, log and archive: {}\n", directory);
    return fmt::format("  Tables, log and archive: {}\n  Open {} in any browser; it needs no network.\n",
                       directory, printable(page.string(), 4000));
  }

  /// Of a point of a sweep; other runs have no record.
  void record_the_end(ExitCode code, const std::string& canonical_exact) {
    if (!sweep_) return;
    record_.exit_code = static_cast<int>(code);
    record_.seconds = std::round(watch_.seconds() * 1000) / 1000;
    record_.canonical_exact = canonical_exact;
    sweep_->write(running_, record_);
  }

  void show_nothing_to_do(const Invocation& invocation) const {
    if (invocation.json) {
      fmt::print("{}", results_json(*sweep_));
    } else {
      fmt::print("nothing to do: --point {} is beyond this sweep, which has {}, counted from 0\n", point_,
                 counted(sweep_->size(), "point"));
    }
  }

  /// Rank 0: what a single run has said for itself is said of many in one table.
  void show_the_points(const Invocation& invocation) const {
    if (chosen_.empty()) {
      show_nothing_to_do(invocation);
    } else if (chosen_.size() > 1) {
      fmt::print("{}", invocation.json ? results_json(*sweep_) : results_text(*sweep_));
    }
  }

  /// "config sha256 9c1f20ab12cd, 1 override, resolved in runs/audit/config.resolved.yaml"
  static std::string config_words(const RunDirectory& directory, const AuditRequest& request) {
    const auto overrides = static_cast<std::uint64_t>(std::ranges::count(request.overrides, '\n'));
    return fmt::format("config sha256 {}, {}, resolved in {}",
                       sha256_hex(request.original_yaml).substr(0, 12), counted(overrides, "override"),
                       (directory.path() / "config.resolved.yaml").string());
  }

  static void greet(Log& log, const Invocation& invocation, const World& world, const RunDirectory& directory,
                    const AuditRequest& request) {
    say_program(log, invocation.command_line(), world);
    log.info("start", config_words(directory, request));
    log.info("start", fmt::format("{} named, {}, output {}", counted(request.models.size(), "model"),
                                  counted(request.questions.size(), "question"), directory.path().string()));
    log.info("start",
             fmt::format("{}, MPI library: {}",
                         counted(static_cast<std::uint64_t>(world.all().size()), "rank"), world.library()));
    if (request.limit.end()) log.info("start", request.limit.reason());
    for (const ModelRequest& model : request.models)
      log.debug("start", fmt::format("model {}: {}", model.id, printable(model.path)));
  }

  void greet_the_point(std::size_t index, const Configuration& configuration, Log& log) const {
    std::vector<std::string> settings;
    for (std::size_t i = 0; i < sweep_->keys().size(); ++i)
      settings.push_back(fmt::format("{} = {}", sweep_->keys()[i], sweep_->values(index)[i]));
    log.info("start", fmt::format("point {} of {}: {}; store {}", index, sweep_->size(),
                                  fmt::join(settings, ", "), configuration.config.runtime.store));
    const std::string remark = chosen_.size() > 1 ? points_run_often(process_environment())
                                                  : missed_points(sweep_->size(), process_environment());
    if (!remark.empty()) log.warn(remark);
  }

  static void say_the_end(Log& log, const AuditResult& result) {
    std::size_t whole = 0;
    for (const Fingerprint& f : result.fingerprints) whole += f.status == Status::ok;
    log.info("end", fmt::format(
                        "{} of {} whole, {} of {}, {}{}; exit {}", whole,
                        counted(result.fingerprints.size(), "model"),
                        with_commas(result.plan.items.size() - result.plan.infeasible.size()),
                        counted(result.plan.items.size(), "item"), counted(result.failures.size(), "failure"),
                        result.failures.empty() ? "" : " (failures.tsv)", static_cast<int>(result.code)));
  }

  static void print(const Reproduced& reproduced, const std::filesystem::path& archive, bool json) {
    if (json) return fmt::print("{}\n", reproduced_json(reproduced, archive).dump(2));
    for (const auto* lines : {&reproduced.lines, &reproduced.against.differing, &reproduced.against.rounding})
      for (const std::string& line : *lines) fmt::print("reproduce  {}\n", line);
    fmt::print("reproduce  {}\n", printable(archive.string(), 4000));
  }

  std::vector<std::string> arguments_;
  std::string output_, store_, point_, shard_, until_, deadline_, margin_, reproduce_, inputs_;
  bool fresh_ = false, dry_run_ = false, rehash_ = false, redact_ = false;
  LogCopy log_copy_;
  // All below is rank 0's.
  Receipt receipt_;
  Shard part_;
  std::optional<ConfiguredRuns> runs_;
  std::optional<Reproduction> reproduction_;  ///< instead of runs_
  std::optional<SweepDirectory> sweep_;       ///< nothing without a sweep
  std::vector<std::size_t> chosen_;           ///< of these runs, in order
  std::size_t running_ = 0;                   ///< one of them
  std::optional<RunDirectory> directory_;     ///< its directory, while it goes on
  PointRecord record_;
  Stopwatch watch_;
};

}  // namespace

std::unique_ptr<Command> run_command() { return std::make_unique<RunCommand>(); }

}  // namespace stemma
