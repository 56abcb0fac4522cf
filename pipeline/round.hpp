// How do all ranks go through one list of models or pairs: planned, handed out, kept?
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "pipeline/plan.hpp"
#include "pipeline/progress.hpp"
#include "pipeline/result_store.hpp"
#include "pipeline/work_progress.hpp"
#include "pipeline/work_stage.hpp"

namespace stemma {

/// One part of work that several runs share without talking to each other: of every `count` items the one
/// with the remainder `index`.
struct Shard {
  std::uint32_t index = 0, count = 1;
};

/// What a round is planned with and shown by.
struct RoundTerms {
  CostModel rates;
  std::vector<std::string> hosts;  ///< by rank
  CoordinatorMode coordinator = CoordinatorMode::automatic;
  std::uint64_t memory_per_rank = 0;  ///< bytes
  ResultLogs* logs = nullptr;         ///< where results go, and what is known already
  TimeLimit* limit = nullptr;
  Shard shard = {};
  std::string arithmetic = {};  ///< of the ranks: what results depend on that are to be reproducible
  ProgressTerms progress = {};  ///< without the limit
};

/// Predicted seconds of what a plan comes to without the items of which the logs promise all results. No
/// result is read.
double seconds_left(Plan plan, OrderBook& orders, const ResultLogs& logs);

/// Rank 0's part of a round: it is made, work_through() goes through it, end() follows. `work`, `plan` and
/// the log outlive it.
class Round {
 public:
  /// `name` is part of the file of results. What an earlier attempt found is left out of the plan, and the
  /// log is told. Throws StorageError.
  Round(std::string name, std::span<const SurveyedModel> work, std::vector<Question> questions, Plan& plan,
        const RoundTerms& terms, Log& log);
  /// With a plan of its own, which the log is told, as it is what was done.
  Round(std::string name, std::span<const SurveyedModel> work, const std::vector<Question>& questions,
        const RoundTerms& terms, Log& log);
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;

  /// For one pass through what is left.
  WorkInput input();
  /// Whether another pass is worth it: for what another run did not finish after all, and once more for what
  /// failed for a reason that may have passed.
  bool goes_on();
  /// Stops the clock and takes the progress away. Throws StoppedEarly where something is left: because the
  /// time was over, or because other shards have not ended. What was done is then safe on the disk.
  void end();

  const Plan& plan() const { return plan_; }
  const ResultStore& store() const { return store_; }
  FeatureSource of(std::uint32_t index) const { return store_.of_model(index); }
  std::uint64_t items() const { return counters_.items; }    ///< that ended, now
  std::uint64_t failed() const { return counters_.failed; }  ///< subjects
  std::uint64_t bytes_read() const { return bytes_read_; }
  /// Of these, read again as the plan announced: no part of the read ratio.
  std::uint64_t announced_bytes() const { return announced_bytes_; }
  double seconds() const { return seconds_; }
  /// By item of the plan, NaN where an item did not run.
  std::span<const double> actual_seconds() const { return actual_seconds_; }
  double occupied_seconds() const { return occupied_seconds_; }  ///< rank-seconds, by the coordinator's clock
  /// Adds a row for everything that failed.
  void collect(std::vector<Failure>& failures) const;

 private:
  /// With one of two plans: its own, or the one that is given.
  Round(std::string name, std::span<const SurveyedModel> work, std::vector<Question> questions,
        std::optional<Plan> own, Plan* given, const RoundTerms& terms, Log& log);
  void recall();
  /// Whether all that was left to other shards is known by now.
  bool others_ended();
  void begin(const RoundTerms& terms);
  void take(const ItemResult& result);
  /// Orders for those items that nobody else does, as bytes.
  std::vector<std::byte> orders_for(std::span<const std::uint32_t> items);
  std::vector<std::byte> team_order_for(std::uint32_t item, int block, std::span<const int> members);
  /// Which of these contents have a result, or are being worked on.
  std::vector<std::uint8_t> look_up(std::span<const Hash128> contents);
  void count(const Item& item, std::uint64_t bytes);
  /// "acme-7b layers/41/mlp.down", for people
  std::string name_of_item(std::uint32_t item) const;
  void end_shard();
  [[noreturn]] void stop_early(std::uint64_t left);
  std::string times_of_open_items() const;
  [[noreturn]] void stop(const std::string& sentence, ExitCode code);
  void say_plan() const;
  void say_work() const;

  std::string name_;
  std::optional<Plan> own_plan_;
  Plan& plan_;
  std::span<const SurveyedModel> work_;
  std::vector<std::string> hosts_;
  Log& log_;
  OrderBook orders_;
  ResultLogs& logs_;
  ResultStore store_;
  TimeLimit* limit_;
  Shard shard_;
  std::vector<std::uint32_t> others_;  ///< items of other shards that nobody had done at the begin
  int pass_ = 0;
  std::vector<std::uint32_t> elsewhere_;  ///< items that another run works on
  std::set<Hash128> on_its_way_;          ///< contents that somebody asked for first, and measures
  std::vector<std::uint32_t> once_more_;  ///< items with failures that may have passed
  WorkCounters counters_;
  UnderWay under_way_;
  std::uint64_t bytes_read_ = 0, announced_bytes_ = 0;
  std::vector<double> actual_seconds_;
  double seconds_ = 0, occupied_seconds_ = 0;
  Stopwatch watch_;
  std::optional<Progress> progress_;
};

/// Collective. Goes through a round, rank 0's, in as many passes as it takes. `reader` and failures as for
/// run_work.
void work_through(const Communicator& ranks, CoordinatorMode mode, Round* round, const ReaderMaker& reader);

}  // namespace stemma
