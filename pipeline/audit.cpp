// Rank 0 leads: it prepares alone, works with everybody, concludes alone.
#include "pipeline/audit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "analyzers/distributed/unison.hpp"
#include "io/archive/archive_writer.hpp"
#include "io/archive/storage_error.hpp"
#include "pipeline/calibration.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/common_reading.hpp"
#include "pipeline/counted_stage.hpp"
#include "pipeline/gather.hpp"
#include "pipeline/greeting.hpp"
#include "pipeline/known_models.hpp"
#include "pipeline/linear_algebra.hpp"
#include "pipeline/machine.hpp"
#include "pipeline/neuron_stage.hpp"
#include "pipeline/refusal.hpp"
#include "pipeline/round.hpp"
#include "pipeline/trusted_machines.hpp"
#include "pipeline/version.hpp"
#include "pipeline/wording.hpp"
#include "pipeline/work_stage.hpp"

namespace stemma {
namespace {

constexpr double worth_measuring = 60;  // seconds of work, of which measuring is a small part

Provenance provenance_of(const World& world, const AuditRequest& request, const Machines& machines) {
  const std::vector<std::string>& hosts = machines.hosts;
  Provenance p;
  p.software_version = version_text;
  p.software_commit = commit_text;
  p.uuid = new_uuid();
  p.argv = request.command_line;
  p.ranks = static_cast<std::uint32_t>(hosts.size());
  std::map<std::string, std::size_t> distinct;  // one rank speaks for its host
  for (std::size_t rank = 0; rank < hosts.size(); ++rank) distinct.try_emplace(hosts[rank], rank);
  p.nodes = static_cast<std::uint32_t>(distinct.size());
  for (const char* name : {"SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID"})
    if (const char* id = std::getenv(name)) p.job_id = id;
  if (const char* cluster = std::getenv("SLURM_CLUSTER_NAME")) p.cluster = cluster;
  if (const char* modules = std::getenv("LOADEDMODULES")) p.modules = modules;
  if (const char* user = std::getenv("USER")) p.user = user;
  p.machine = host_name();
  for (const auto& [name, rank] : distinct) {
    const BlasDescription& blas = machines.algebra[rank].blas;
    p.hosts.push_back({.name = name,
                       .cpu_model = machines.cpu_models[rank],
                       .blas_core = blas.core,
                       .blas_config = blas.build(),
                       .mpi_library = world.library(),
                       .selftest = true});  // a run that goes on has passed on every rank
  }
  p.started = utc_now();
  return p;
}

/// The parts of a run that only rank 0 has.
class AuditLeader {
 public:
  AuditLeader(const World& world, const AuditRequest& request, Log& log)
      : world_(world), request_(request), log_(log), limit_(request.limit) {}

  /// Survey, a first plan and what earlier attempts left of it. Says whether the speed of the ranks is to be
  /// measured, and on which file.
  bool begin(const Machines& machines) {
    hosts_ = machines.hosts;
    arithmetic_ = kind_of(machines.algebra.front().blas);
    result_.provenance = provenance_of(world_, request_, machines);
    say_machines(log_, machines);
    compare_linear_algebra(machines);
    read_headers();
    make_the_plan(request_.rates);
    say_places(log_, result_.plan.memory_per_rank,
               request_.memory_per_rank ? "runtime.memory_per_rank" : memory_limit(ranks_per_host(hosts_)),
               result_.models, request_.store.string());
    logs_.emplace(request_.store, request_.leftovers, request_.earlier);
    if (request_.calibration == Calibration::automatic) {
      OrderBook orders(result_.models, request_.questions, result_.plan.width_rule, arithmetic_);
      return result_.plan.makespan > worth_measuring &&
             seconds_left(result_.plan, orders, *logs_) > worth_measuring;
    }
    return request_.calibration == Calibration::always;
  }

  /// The largest file of the run, nullptr without any.
  const SourceFile* largest_file() const {
    const SourceFile* largest = nullptr;
    for (const SurveyedModel& m : result_.models)
      if (m.model)
        for (const SourceFile& file : m.model->checkpoint.files)
          if (!largest || file.bytes > largest->bytes) largest = &file;
    return largest;
  }

  void plan_again(const CostModel& rates, double seconds) {
    log_.info("calibration",
              fmt::format("{}, in {}: Gram matrices {:.1f} GF/s, eigenvalues {:.1f} GF/s at k = "
                          "{}, loops {:.1f} GF/s, reading {}/s, scanning {}/s per rank",
                          rates.name, duration_words(seconds), rates.product_rate / 1e9,
                          rates.eigen_rates.back().rate / 1e9, rates.eigen_rates.back().k,
                          rates.flop_rate / 1e9, bytes_words(rates.read_rate), bytes_words(rates.scan_rate)));
    make_the_plan(rates);
  }

  void prepare() {
    say_the_plan();
    RoundTerms of_models = terms();
    of_models.shard = request_.shard;
    round_.emplace("work", result_.models, request_.questions, result_.plan, of_models, log_);
  }

  Round* round() { return &*round_; }

  /// Fingerprints. Says whether the neurons of pairs are to be compared, by all ranks.
  bool sum_up() {
    round_->end();
    result_.work_seconds = round_->seconds();
    result_.bytes_read = round_->bytes_read();
    round_->collect(result_.failures);
    result_.fingerprints = gather_fingerprints(result_.models, request_.questions, round_->store());
    result_.files =
        gather_file_facts(result_.models, result_.plan, round_->store(), round_->actual_seconds());
    say_the_work();
    if (!request_.comparison) return false;
    pairs_ = chosen_pairs(result_.fingerprints, *request_.comparison);
    if (!request_.comparison->tests.contains("neuron_match")) return false;
    begin_stage("compare", "pairs by neurons", pairs_.size());
    return true;
  }

  std::span<const Fingerprint> fingerprints() const { return result_.fingerprints; }
  const ModelPairs& pairs() const { return pairs_; }
  DoneCount* compared() { return stage_ ? &stage_->done() : nullptr; }
  double agreeing_share() const { return request_.comparison ? request_.comparison->rule.share : 0; }

  /// Says whether weights are to be read again, in pairs. `neurons` as found by all ranks, in `watch`.
  bool compare(std::vector<NeuronAgreement> neurons, const Stopwatch& watch) {
    stage_.reset();
    if (request_.comparison) {
      DoneCount* const judged = begin_stage("compare", "pairs", pairs_.size());
      result_.comparison =
          Comparison(result_.fingerprints, *request_.comparison, {}, std::move(neurons), judged);
      stage_.reset();
      log_.info("compare",
                fmt::format("{} from fingerprints in {}", counted(result_.comparison.size(), "pair"),
                            duration_words(watch.seconds())));
    }
    if (!request_.comparison || !request_.trace) return false;
    ChosenPairs chosen =
        choose_pairs(result_.models, result_.fingerprints, result_.comparison, *request_.trace);
    if (chosen.left_out > 0)
      log_.warn(fmt::format("{} beyond trace.max_pairs ({}) not traced", counted(chosen.left_out, "pair"),
                            request_.trace->max_pairs));
    if (chosen.pairs.empty()) return false;
    trace_ = TraceRequest{.models = result_.models,
                          .pairs = std::move(chosen.pairs),
                          .origin_options = request_.trace->tests.at("origin_tracer"),
                          .rule = request_.comparison->rule,
                          .terms = terms(),
                          .scratch = request_.scratch,
                          .maps = request_.leftovers};
    log_.info("trace", fmt::format("{} to read again in pairs", counted(trace_->pairs.size(), "pair")));
    return true;
  }

  const TraceRequest* trace_request() const { return &*trace_; }

  void take_trace(TraceResult traced) {
    std::move(traced.failures.begin(), traced.failures.end(), std::back_inserter(result_.failures));
    log_.info("trace", fmt::format("{}, {} read in {}", counted(traced.pairs.size(), "pair"),
                                   bytes_words(static_cast<double>(traced.bytes_read)),
                                   duration_words(traced.seconds)));
    result_.comparison.confirm(std::move(traced.pairs));
  }

  AuditResult conclude() {
    result_.code = result_.failures.empty() ? ExitCode::done : ExitCode::partial;
    write_the_archive();
    return std::move(result_);
  }

 private:
  RoundTerms terms() {
    return {.rates = result_.plan.model,
            .hosts = hosts_,
            .coordinator = request_.coordinator,
            .memory_per_rank = result_.plan.memory_per_rank,
            .logs = &*logs_,
            .limit = &limit_,
            .arithmetic = arithmetic_,
            .progress = request_.progress};
  }

  /// Shown from now on, until stage_ is reset or the next one begins. What counts in it.
  DoneCount* begin_stage(std::string name, std::string_view unit, std::uint64_t total) {
    stage_.emplace(log_, std::move(name), unit, total,
                   request_.progress.until(&limit_, result_.failures.size()));
    return &stage_->done();
  }

  void read_headers() {
    const Stopwatch watch;
    DoneCount* const opened = begin_stage("survey", "models", request_.models.size());
    result_.models = survey(request_.models, ArchitectureTables::shipped_and(request_.architectures), opened);
    stage_.reset();
    std::size_t readable = 0;
    for (const SurveyedModel& m : result_.models) {
      readable += m.model.has_value();
      if (!m.failure) continue;
      // The first one ends a strict run, which says it then.
      if (!request_.strict || !result_.failures.empty())
        log_.warn(said_of(m.request.id, m.failure->sentence));
      result_.failures.push_back(*m.failure);
    }
    log_.info("survey",
              fmt::format("{} of {} readable, headers read in {}", readable,
                          counted(result_.models.size(), "model"), duration_words(watch.seconds())));
    if (request_.strict) refuse_invalid();
    if (request_.known.empty()) return;
    add_known(result_.models, request_.known);
    log_.info("survey",
              fmt::format("{} of other archives to compare with", counted(request_.known.size(), "model")));
  }

  void refuse_invalid() const {
    for (const SurveyedModel& m : result_.models) {
      if (m.failure) throw InvalidInput(reason_of_failure(m));
    }
  }

  void compare_linear_algebra(const Machines& machines) {
    const std::string mixture = differences(machines.algebra, machines.hosts);
    if (mixture.empty()) return;
    if (request_.width_rule == WidthRule::soonest) return log_.warn(mixture);
    Problem problem;
    problem.key = "runtime.reproducible";
    problem.message = "runtime.reproducible: " + mixture;
    throw ConfigProblems({std::move(problem)});
  }

  void make_the_plan(const CostModel& rates) {
    const std::uint64_t budget = request_.memory_per_rank.value_or(memory_budget(ranks_per_host(hosts_)));
    result_.plan =
        make_plan(result_.models, request_.questions, rates,
                  MachineLayout::of_hosts(hosts_, request_.coordinator), budget, request_.width_rule);
    if (request_.width_rule == WidthRule::by_size) refuse_other_widths();
  }

  /// Spectra that are not reproducible are worse than none in a run that promised them.
  void refuse_other_widths() const {
    std::vector<Problem> problems;
    for (const std::uint32_t i : result_.plan.infeasible) {
      const Item& item = result_.plan.items[i];
      const SurveyedModel& m = result_.models[item.model];
      const Refusal why = refusal(item, result_.plan);
      Problem& problem = problems.emplace_back();
      problem.file = printable(m.request.id);
      problem.message = fmt::format("{} {}. Suggestion: {}", printable(name_of(item, *m.model)), why.sentence,
                                    why.suggestion);
    }
    if (!problems.empty()) throw ConfigProblems(std::move(problems));
  }

  void say_the_plan() {
    const Plan& plan = result_.plan;
    log_.info("plan", fmt::format("{}, {} to read once, on {} of {}; lower bound {}, predicted {}, "
                                  "efficiency {:.2f}; peak {} of {} per rank; plan {}",
                                  counted(plan.items.size(), "item"),
                                  bytes_words(static_cast<double>(plan.weight_bytes)), plan.machine.workers(),
                                  counted(static_cast<std::uint64_t>(plan.machine.ranks()), "rank"),
                                  duration_words(plan.lower_bound), duration_words(plan.makespan),
                                  plan.efficiency(), memory_words(static_cast<double>(plan.peak_memory)),
                                  memory_words(static_cast<double>(plan.memory_per_rank)), plan.digest));
    say_what_fits_nowhere();
  }

  /// One line for all of them, with the one that needs most.
  void say_what_fits_nowhere() {
    const Plan& plan = result_.plan;
    if (plan.infeasible.empty()) return;
    const std::uint32_t largest = *std::ranges::max_element(
        plan.infeasible, {}, [&](std::uint32_t i) { return plan.costs[plan.items[i].cost].memory_on(1); });
    const Item& item = plan.items[largest];
    const SurveyedModel& m = result_.models[item.model];
    const Refusal why = refusal(item, plan);
    log_.warn(fmt::format("{} cannot be done here (failures.tsv): {}: {} {}. Remedy: {}",
                          counted(plan.infeasible.size(), "item"), m.request.id, name_of(item, *m.model),
                          why.sentence, why.suggestion));
  }

  void say_the_work() {
    const Plan& plan = result_.plan;
    double busy = 0;
    const auto seconds = round_->actual_seconds();
    for (std::size_t i = 0; i < seconds.size(); ++i)
      if (seconds[i] > 0) busy += seconds[i] * plan.items[i].width;
    result_.provenance.read_ratio =
        plan.weight_bytes ? static_cast<double>(result_.bytes_read - round_->announced_bytes()) /
                                static_cast<double>(plan.weight_bytes)
                          : 1;
    const double capacity = std::max(1e-9, result_.work_seconds * plan.machine.workers());
    log_.info("work", fmt::format("{}, {} read in {}; read ratio {:.3f}; {} rank-seconds of work, ranks busy "
                                  "{:.0f} % of the time; {} failed",
                                  counted(round_->items(), "item"),
                                  bytes_words(static_cast<double>(result_.bytes_read)),
                                  duration_words(result_.work_seconds), result_.provenance.read_ratio,
                                  fmt::format("{:.1f}", busy), 100 * busy / capacity, round_->failed()));
    log_.info("work", fmt::format("predicted {}, took {} ({:.2f} of it); efficiency {:.2f}: width {:.2f}, "
                                  "overhead {:.2f}, packing {:.2f}",
                                  duration_words(plan.makespan), duration_words(result_.work_seconds),
                                  result_.work_seconds / std::max(1e-9, plan.makespan),
                                  plan.lower_bound / std::max(1e-9, result_.work_seconds),
                                  plan.width_efficiency(), busy / std::max(1e-9, round_->occupied_seconds()),
                                  round_->occupied_seconds() / capacity));
  }

  void write_the_archive() {
    const Stopwatch watch;
    std::filesystem::create_directories(request_.archive.parent_path());
    DoneCount* const added =
        begin_stage("archive", "models and pairs", result_.models.size() + result_.comparison.size());
    ArchiveWriter writer(request_.archive, writer_name());
    fill_archive(writer, result_, request_, round_->store(), round_->actual_seconds(), added);
    result_.hashes = writer.publish();
    stage_.reset();
    logs_->seal();
    log_.info("archive",
              fmt::format("{} ({}) in {}, canonical_exact {}", request_.archive.string(),
                          bytes_words(static_cast<double>(std::filesystem::file_size(request_.archive))),
                          duration_words(watch.seconds()), result_.hashes.exact.substr(0, 12)));
  }

  const World& world_;
  const AuditRequest& request_;
  Log& log_;
  std::vector<std::string> hosts_;  ///< by rank
  std::string arithmetic_;          ///< BLAS of the first rank
  TimeLimit limit_;
  AuditResult result_;
  std::optional<ResultLogs> logs_;
  std::optional<Round> round_;
  std::optional<CountedStage> stage_;  ///< that all ranks work on beside rounds
  std::optional<TraceRequest> trace_;
  ModelPairs pairs_;
};

}  // namespace

std::optional<AuditResult> audit(const World& world, const AuditRequest* request, Log& log) {
  const Communicator& ranks = world.all();
  const Machines machines = trusted_machines(ranks);
  std::optional<AuditLeader> leader;
  if (request) leader.emplace(world, *request, log);
  bool measures = false;
  in_unison(ranks, "preparing the run", [&] {
    if (leader) measures = leader->begin(machines);
  });
  if (ranks.all_reduce_sum(measures ? 1 : 0) > 0) {
    const Stopwatch watch;
    const CostModel rates = calibrate(ranks, leader ? leader->largest_file() : nullptr);
    in_unison(ranks, "planning with measured rates", [&] {
      if (leader) leader->plan_again(rates, watch.seconds());
    });
  }
  in_unison(ranks, "preparing the work", [&] {
    if (leader) leader->prepare();
  });
  const CoordinatorMode mode = request ? request->coordinator : CoordinatorMode::automatic;
  const CommonReading reading(ranks, request ? std::optional(request->direct) : std::nullopt);
  work_through(ranks, mode, leader ? leader->round() : nullptr, reading.maker());
  reading.warn(ranks, log);
  bool compares_neurons = false, traces = false;
  in_unison(ranks, "summing up", [&] {
    if (leader) compares_neurons = leader->sum_up();
  });
  const Stopwatch comparing;
  std::vector<NeuronAgreement> neurons;
  if (ranks.all_reduce_sum(compares_neurons ? 1 : 0) > 0)
    neurons = compare_neurons_together(
        ranks, leader ? leader->fingerprints() : std::span<const Fingerprint>(),
        leader ? leader->pairs() : ModelPairs(), leader ? leader->agreeing_share() : 0,
        leader ? leader->compared() : nullptr);
  in_unison(ranks, "comparing", [&] {
    if (leader) traces = leader->compare(std::move(neurons), comparing);
  });
  std::optional<TraceResult> traced;
  if (ranks.all_reduce_sum(traces ? 1 : 0) > 0)
    traced = trace_pairs(ranks, mode, leader ? leader->trace_request() : nullptr, reading.maker(), log);
  std::optional<AuditResult> result;
  in_unison(ranks, "gathering the results", [&] {
    if (!leader) return;
    if (traced) leader->take_trace(std::move(*traced));
    result = leader->conclude();
  });
  return result;
}

}  // namespace stemma
