// stemma trace: what do the weights of a pair say?
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "analyzers/distributed/unison.hpp"
#include "analyzers/origin_summary.hpp"
#include "analyzers/verdict.hpp"
#include "io/formats/adapter.hpp"
#include "io/model/finding.hpp"
#include "pipeline/adapter_text.hpp"
#include "pipeline/adapter_trace.hpp"
#include "pipeline/commands/adhoc.hpp"
#include "pipeline/commands/log_copy.hpp"
#include "pipeline/commands/receipt.hpp"
#include "pipeline/common_reading.hpp"
#include "pipeline/grey_box_trace.hpp"
#include "pipeline/machine.hpp"
#include "pipeline/trace.hpp"
#include "pipeline/trace_text.hpp"
#include "pipeline/trusted_machines.hpp"

namespace stemma {
namespace {

/// Two models as the command line names them, the first one as base; or a base and an adapter.
struct Named {
  std::vector<SurveyedModel> models;
  std::vector<TracePair> pairs;
  std::optional<ModelRequest> adapter;  ///< then `models` has the base alone
};

Named named_models(const AuditRequest& request) {
  if (request.models.size() != 2)
    throw UsageError(fmt::format("two models are wanted, {} {} given. Name both: stemma trace BASE CANDIDATE",
                                 request.models.size(), request.models.size() == 1 ? "was" : "were"));
  Named named;
  const std::string base = request.models.front().id;  // the survey sorts
  std::vector<ModelRequest> whole = request.models;
  if (is_adapter(whole.front().path))
    throw UsageError(fmt::format("{} is an adapter: name its base first, then the adapter", printable(base)));
  if (is_adapter(whole.back().path)) {
    named.adapter = whole.back();
    whole.pop_back();
  }
  named.models = survey(whole, ArchitectureTables::shipped_and(request.architectures));
  for (const SurveyedModel& m : named.models) {
    if (m.failure) throw InvalidInput(reason_of_failure(m));
  }
  if (named.adapter) return named;
  const std::uint32_t first = named.models.front().request.id == base ? 0 : 1;
  named.pairs.push_back({first, 1 - first, {}});
  return named;
}

class TraceCommand final : public Command {
 public:
  std::string_view name() const override { return "trace"; }
  std::string_view summary() const override {
    return "read the weights of a pair: equal, re-encoded, or an update of which rank?";
  }
  std::vector<Example> examples() const override {
    return {{"stemma trace models/llama-7b acme-7b", "every layer, its null and its control"},
            {"stemma trace models/llama-7b adapters/lora", "an adapter's ranks, stated and found"},
            {"mpirun -n 8 stemma trace models/llama-7b acme-7b --json", "on eight ranks, for scripts"}};
  }
  bool parallel() const override { return true; }
  bool heeds_signals() const override { return true; }

  void declare(CLI::App& app) override {
    app.add_option("models", arguments_, "two models, or a base and an adapter of it; overrides: key=value")
        ->required()
        ->type_name("BASE CANDIDATE [key=value...]");
    app.add_flag("--grey-box", grey_box_,
                 "the published form: from outputs of layers alone, on one rank; no verdict");
    log_copy_.declare(app);
    receipt_.declare(app);
  }

  ExitCode execute(const Invocation& invocation, const World& world) override {
    const Communicator& ranks = world.all();
    Log log(ranks.leads());
    const Machines machines = trusted_machines(ranks);
    AuditRequest request;
    Named named;
    std::optional<TraceRequest> trace;
    std::optional<AdapterRequest> adapter;
    GreyBoxOptions grey;
    in_unison(ranks, "reading the command line", [&] {
      if (!ranks.leads()) return;
      receipt_.begin();
      const Configuration configuration = adhoc_configuration(words_of(arguments_), "", "trace");
      std::vector<std::string> notes = configuration.notes;
      log.limit_to(verbosity_of(configuration.config, invocation));
      log_copy_.begin(log);
      request = request_of(configuration, invocation, notes);
      for (const std::string& note : notes) log.warn(note);
      named = named_models(request);
      if (grey_box_) {
        if (named.adapter) throw UsageError("--grey-box wants two models, and an adapter is none");
        grey.seed = static_cast<std::uint64_t>(configuration.config.seed);
        return;
      }
      if (named.adapter) {
        adapter = AdapterRequest{.base = &named.models.front(),
                                 .id = named.adapter->id,
                                 .path = named.adapter->path,
                                 .seed = static_cast<std::uint64_t>(configuration.config.seed),
                                 .terms = terms_of(request, machines)};
        return;
      }
      trace = TraceRequest{.models = named.models,
                           .pairs = named.pairs,
                           .origin_options = request.trace ? request.trace->tests.at("origin_tracer")
                                                           : std::map<std::string, double>(),
                           .terms = terms_of(request, machines),
                           .scratch = scratch_for(machines.hosts)};
    });
    const CommonReading reading(ranks, ranks.leads() ? std::optional(request.direct) : std::nullopt);
    if (grey_box_) {
      in_unison(ranks, "reading layer after layer", [&] {
        if (!ranks.leads()) return;
        const auto& [base, candidate, equal] = named.pairs.front();
        const auto reader = reading.maker()();
        say(trace_grey_box(named.models[base], named.models[candidate], *reader, grey), invocation);
      });
      return ExitCode::done;
    }
    if (ranks.all_reduce_min(ranks.leads() && !adapter ? 0 : 1) == 1) {
      const auto found =
          trace_adapter(ranks, request.coordinator, adapter ? &*adapter : nullptr, reading.maker(), log);
      reading.warn(ranks, log);
      return found ? say(*found, invocation) : ExitCode::done;
    }
    const std::optional<TraceResult> result =
        trace_pairs(ranks, request.coordinator, trace ? &*trace : nullptr, reading.maker(), log);
    reading.warn(ranks, log);
    if (!result) return ExitCode::done;
    return say(*result, invocation);
  }

  void ended(ExitCode code) noexcept override { receipt_.write(code); }

 private:
  RoundTerms terms_of(const AuditRequest& request, const Machines& machines) {
    logs_.emplace(scratch_for(machines.hosts), Leftovers::removed);
    limit_ = request.limit;
    return {
        .rates = request.rates,
        .hosts = machines.hosts,
        .coordinator = request.coordinator,
        .memory_per_rank = request.memory_per_rank.value_or(memory_budget(ranks_per_host(machines.hosts))),
        .logs = &*logs_,
        .limit = &limit_,
        .progress = request.progress,
        .progress_every = request.progress_every};
  }

  static ExitCode say(const TraceResult& result, const Invocation& invocation) {
    std::vector<Pair> pairs;
    for (const PairTrace& found : result.pairs) {
      Pair& pair = pairs.emplace_back();
      pair.a = found.base;
      pair.b = found.candidate;
      pair.evidence = origin_evidence(found.origin);
      judge_weights(found, true, pair);
    }
    if (invocation.json) {
      fmt::print("{}", trace_json(pairs, result));
    } else {
      for (std::size_t i = 0; i < pairs.size(); ++i)
        fmt::print("{}", trace_summary(pairs[i], result.pairs[i]));
      fmt::print("  {}\n", cost_words(result));
    }
    return say(result.failures);
  }

  static void say(const GreyBoxTrace& found, const Invocation& invocation) {
    fmt::print("{}", invocation.json ? grey_box_json(found) : grey_box_summary(found));
  }

  static ExitCode say(const AdapterTrace& found, const Invocation& invocation) {
    const Pair pair = adapter_verdict(found, 0, 1);
    fmt::print("{}", invocation.json ? adapter_json(pair, found) : adapter_summary(pair, found));
    return say(found.failures);
  }

  static ExitCode say(const std::vector<Failure>& failures) {
    for (const Failure& failure : failures)
      fmt::print(stderr, "{}: {}: {}\n", printable(failure.model), printable(failure.item),
                 printable(failure.sentence, 2000));
    return failures.empty() ? ExitCode::done : ExitCode::partial;
  }

  std::vector<std::string> arguments_;
  bool grey_box_ = false;
  LogCopy log_copy_;
  Receipt receipt_;                 ///< of rank 0
  std::optional<ResultLogs> logs_;  ///< of rank 0
  TimeLimit limit_;
};

}  // namespace

std::unique_ptr<Command> trace_command() { return std::make_unique<TraceCommand>(); }

}  // namespace stemma
