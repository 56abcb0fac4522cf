// How do all ranks go through one list of models or pairs: planned, handed out, kept?
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/plan.hpp"
#include "pipeline/progress.hpp"
#include "pipeline/result_store.hpp"
#include "pipeline/work_stage.hpp"

namespace stemma {

/// What a round is planned with and shown by.
struct RoundTerms {
  CostModel rates;
  std::vector<std::string> hosts;  ///< by rank
  CoordinatorMode coordinator = CoordinatorMode::automatic;
  std::uint64_t memory_per_rank = 0;  ///< bytes
  std::filesystem::path store;        ///< directory for results on their way, there already
  ProgressRenderer progress = ProgressRenderer::automatic;
  std::chrono::seconds progress_every{30};
};

/// Rank 0's part of a round: it is made, input() goes to run_work, end() follows. `work` outlives it.
class Round {
 public:
  /// `stage` names the round in the log.
  Round(std::string stage, std::span<const SurveyedModel> work, std::vector<Question> questions,
        const RoundTerms& terms, Log& log);
  WorkInput input();
  /// Says what was done.
  void end();

  FeatureSource of(std::uint32_t index) const { return store_.of_model(index); }
  const Plan& plan() const { return plan_; }
  std::uint64_t bytes_read() const { return bytes_read_; }
  double seconds() const { return seconds_; }
  /// Adds a row for everything that failed.
  void collect(std::vector<Failure>& failures) const;

 private:
  void take(const ItemResult& result);

  std::string stage_;
  std::span<const SurveyedModel> work_;
  std::vector<std::string> hosts_;
  Log& log_;
  Plan plan_;
  OrderBook orders_;
  ResultStore store_;
  WorkCounters counters_;
  std::uint64_t bytes_read_ = 0;
  double seconds_ = 0;
  Stopwatch watch_;
  std::optional<Progress> progress_;
};

}  // namespace stemma
