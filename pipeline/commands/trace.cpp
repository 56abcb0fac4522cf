// stemma trace: what do the weights of a pair say?
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "analyzers/distributed/unison.hpp"
#include "analyzers/origin_summary.hpp"
#include "analyzers/verdict.hpp"
#include "io/model/finding.hpp"
#include "pipeline/adapter_text.hpp"
#include "pipeline/adapter_trace.hpp"
#include "pipeline/commands/adhoc.hpp"
#include "pipeline/commands/log_copy.hpp"
#include "pipeline/commands/receipt.hpp"
#include "pipeline/commands/target.hpp"
#include "pipeline/commands/traced_pairs.hpp"
#include "pipeline/common_reading.hpp"
#include "pipeline/counted_stage.hpp"
#include "pipeline/grey_box_trace.hpp"
#include "pipeline/machine.hpp"
#include "pipeline/neuron_stage.hpp"
#include "pipeline/trace.hpp"
#include "pipeline/trusted_machines.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

class TraceCommand final : public Command {
 public:
  std::string_view name() const override { return "trace"; }
  std::string_view summary() const override {
    return "read the weights of pairs: equal, re-encoded, or an update of which rank?";
  }
  std::vector<Example> examples() const override {
    return {{"stemma trace models/llama-7b acme-7b", "every layer, its null and its control"},
            {"stemma trace models/llama-7b adapters/lora", "an adapter's ranks, stated and found"},
            {"stemma trace runs/demo", "the candidates of a run, as a table"},
            {"stemma trace family.h5 uploads.h5 --pairs suspects.tsv", "the pairs of a list"},
            {"mpirun -n 8 stemma trace models/llama-7b acme-7b --json", "on eight ranks, for scripts"}};
  }
  bool parallel() const override { return true; }
  bool heeds_signals() const override { return true; }

  void declare(CLI::App& app) override {
    app.add_option("models", arguments_, "two models, base and adapter, or archives; and overrides")
        ->required()
        ->type_name("BASE CANDIDATE|ARCHIVE... [key=value...]");
    CLI::Option* pairs =
        app.add_option("--pairs", list_, "a table with columns a and b: these pairs, by id, as a table")
            ->type_name("FILE");
    app.add_option("--inputs", inputs_, "where the models of archives lie now, by id")->type_name("DIR");
    app.add_flag("--grey-box", grey_box_,
                 "the published form: from outputs of layers alone, on one rank; no verdict")
        ->excludes(pairs);
    log_copy_.declare(app);
    receipt_.declare(app);
  }

  ExitCode execute(const Invocation& invocation, const World& world) override {
    const Communicator& ranks = world.all();
    Log log(ranks.leads());
    const Machines machines = trusted_machines(ranks);
    AuditRequest request;
    PairsToTrace named;
    std::optional<ArchivedPairs> archived;
    in_unison(ranks, "reading the command line", [&] {
      if (!ranks.leads()) return;
      receipt_.begin();
      named = read_command_line(request, archived, invocation, log);
    });
    if (ranks.all_reduce_min(archived && list_.empty() ? 0 : 1) == 0)
      named = candidates(ranks, archived ? &*archived : nullptr, log);
    std::optional<TraceRequest> trace;
    std::optional<AdapterRequest> adapter;
    GreyBoxOptions grey;
    in_unison(ranks, "preparing the trace", [&] {
      if (!ranks.leads()) return;
      grey.seed = static_cast<std::uint64_t>(request.seed);
      if (grey_box_) return;
      if (named.adapter) {
        adapter = AdapterRequest{.base = &named.models.front(),
                                 .id = named.adapter->id,
                                 .path = named.adapter->path,
                                 .seed = static_cast<std::uint64_t>(request.seed),
                                 .terms = terms_of(request, machines)};
        return;
      }
      trace = TraceRequest{.models = named.models,
                           .pairs = named.pairs,
                           .origin_options = request.trace ? request.trace->tests.at("origin_tracer")
                                                           : std::map<std::string, double>(),
                           .rule = request.comparison->rule,
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
    if (ranks.all_reduce_min(trace && trace->pairs.empty() ? 0 : 1) == 0)
      return ranks.leads() ? say({}, named.unread, invocation) : ExitCode::done;
    const std::optional<TraceResult> result =
        trace_pairs(ranks, request.coordinator, trace ? &*trace : nullptr, reading.maker(), log);
    reading.warn(ranks, log);
    if (!result) return ExitCode::done;
    return say(*result, named.unread, invocation);
  }

  void ended(ExitCode code) noexcept override { receipt_.write(code); }

 private:
  /// Rank 0. Of archives without a list only what is needed to choose: `archived`.
  PairsToTrace read_command_line(AuditRequest& request, std::optional<ArchivedPairs>& archived,
                                 const Invocation& invocation, Log& log) {
    std::vector<std::string> operands, models;
    std::vector<Override> overrides;
    const std::vector<Word> words = words_of(arguments_);
    for (const Word& word : words)
      if (word.changes && !is_archive(word.text))
        overrides.push_back(word.as_override());
      else
        (is_archive(word.text) ? operands : models).push_back(word.text);
    many_ = !operands.empty() || !list_.empty();
    if (!operands.empty() && !models.empty())
      throw UsageError(fmt::format("{} is an archive and {} is none. Name archives alone, or models alone",
                                   printable(operands.front()), printable(models.front())));
    if (!inputs_.empty() && operands.empty())
      throw UsageError("--inputs is for archives, which say where their models were");
    if (!operands.empty() && grey_box_)
      throw UsageError("--grey-box wants two models, and an archive holds none");
    std::vector<std::string> notes;
    Configuration configuration;
    if (operands.empty()) {
      configuration = adhoc_configuration(words, "", "trace");
      notes = configuration.notes;
      request = request_of(configuration, invocation, notes);
    } else {
      archived.emplace(operands, overrides, inputs_, invocation);
      configuration = archived->configuration();
      notes = configuration.notes;
      request = archived->request();
    }
    log.limit_to(verbosity_of(configuration.config, invocation));
    log_copy_.begin(log);
    for (const std::string& note : notes) log.warn(note);
    if (!list_.empty()) return listed_pairs(request, list_);
    if (archived) return {};
    PairsToTrace named = two_models(request);
    if (grey_box_ && named.adapter) throw UsageError("--grey-box wants two models, and an adapter is none");
    return named;
  }

  /// Collective. `archived` and the result are rank 0's.
  static PairsToTrace candidates(const Communicator& ranks, const ArchivedPairs* archived, Log& log) {
    std::vector<NeuronAgreement> neurons;
    std::optional<CountedStage> stage;
    in_unison(ranks, "preparing the comparison", [&] {
      if (archived && !archived->neuron_pairs().empty())
        stage.emplace(log, "compare", "pairs by neurons", archived->neuron_pairs().size(),
                      archived->request().progress.until(&archived->request().limit));
    });
    if (ranks.all_reduce_sum(stage ? 1 : 0) > 0)
      neurons = compare_neurons_together(
          ranks, archived ? archived->fingerprints() : std::span<const Fingerprint>(),
          archived ? archived->neuron_pairs() : ModelPairs(),
          archived ? archived->request().comparison->rule.share : 0, stage ? &stage->done() : nullptr);
    stage.reset();
    PairsToTrace named;
    in_unison(ranks, "choosing candidates", [&] {
      if (!archived) return;
      std::uint64_t left_out = 0;
      named = archived->candidates(std::move(neurons), left_out, log);
      if (left_out > 0)
        log.warn(fmt::format("{} beyond trace.max_pairs ({}) not traced", counted(left_out, "pair"),
                             archived->request().trace->max_pairs));
      log.info("trace", fmt::format("{} to read", counted(named.pairs.size(), "pair")));
    });
    return named;
  }

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
        .progress = request.progress};
  }

  ExitCode say(const TraceResult& result, std::span<const UnreadPair> unread,
               const Invocation& invocation) const {
    std::vector<Pair> pairs;
    for (const PairTrace& found : result.pairs) {
      Pair& pair = pairs.emplace_back();
      pair.a = found.base;
      pair.b = found.candidate;
      pair.evidence = origin_evidence(found.origin);
      judge_weights(found, true, pair);
    }
    if (invocation.json) {
      fmt::print("{}", trace_json(pairs, result, unread));
    } else if (many_) {
      fmt::print("{}", traces_table(pairs, result.pairs, unread));
      fmt::print(stderr, "{}; {}\n", counted(pairs.size(), "pair"), cost_words(result));
    } else {
      for (std::size_t i = 0; i < pairs.size(); ++i)
        fmt::print("{}", trace_summary(pairs[i], result.pairs[i]));
      fmt::print("  {}\n", cost_words(result));
    }
    for (const UnreadPair& pair : unread)
      fmt::print(stderr, "{} and {}: {}\n", printable(pair.base), printable(pair.candidate),
                 printable(pair.sentence, 2000));
    const ExitCode code = say(result.failures);
    return unread.empty() ? code : ExitCode::partial;
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
  std::string list_, inputs_;
  bool grey_box_ = false;
  bool many_ = false;  ///< of rank 0: pairs are rows of a table
  LogCopy log_copy_;
  Receipt receipt_;                 ///< of rank 0
  std::optional<ResultLogs> logs_;  ///< of rank 0
  TimeLimit limit_;
};

}  // namespace

std::unique_ptr<Command> trace_command() { return std::make_unique<TraceCommand>(); }

}  // namespace stemma
