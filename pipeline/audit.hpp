// What are the stages of a run, in order, on all ranks?
#pragma once
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "analyzers/distributed/world.hpp"
#include "io/formats/reading_policy.hpp"
#include "pipeline/candidates.hpp"
#include "pipeline/comparison.hpp"
#include "pipeline/exit_code.hpp"
#include "pipeline/log.hpp"
#include "pipeline/plan.hpp"
#include "pipeline/progress.hpp"
#include "pipeline/round.hpp"
#include "pipeline/survey.hpp"

namespace stemma {

/// Whether the speed of the ranks is measured before the plan is made: automatic does so when what earlier
/// attempts left to do should take longer than a minute by the rates at hand.
enum class Calibration : std::uint8_t { automatic, always, never };

/// What the tables of a run hold, for whom.
struct TableWishes {
  bool all_pairs = true;                    ///< else those that are declared, related or were read again
  std::uint64_t most_features = 2'000'000;  ///< rows; of more features.tsv has none
  bool redact = false;                      ///< paths are shortened, users and machines left out
};

/// Everything that decides a run. Only rank 0 has one.
struct AuditRequest {
  std::vector<ModelRequest> models;
  std::vector<Question> questions;
  std::vector<std::filesystem::path> architectures;  ///< beside the shipped tables
  std::optional<ComparisonPlan> comparison;          ///< nothing: fingerprints only
  std::vector<SurveyedModel> known;                  ///< of other archives, to be compared with these
  std::optional<TracePlan> trace;                    ///< nothing: no weights are read again
  std::filesystem::path archive;                     ///< final path
  std::filesystem::path store;                       ///< directory of record logs
  std::filesystem::path scratch;                     ///< of this run alone
  TimeLimit limit;
  Shard shard = {};                              ///< of the work on single models
  std::optional<std::uint64_t> memory_per_rank;  ///< bytes; nothing: from the machine
  CostModel rates;        ///< that the plan begins with; those it is left with unless others are measured
  std::int64_t seed = 1;  ///< of the configuration, which gave it to whoever draws
  std::string resolved_yaml, original_yaml, overrides;  ///< for the archive
  std::string command_line;
  Leftovers leftovers = Leftovers::removed;         ///< in the store
  EarlierResults earlier = EarlierResults::used;    ///< of those that lie there
  DirectReading direct = DirectReading::automatic;  ///< past the page cache?
  CoordinatorMode coordinator = CoordinatorMode::automatic;
  WidthRule width_rule = WidthRule::soonest;  ///< by_size: an item that finds no such team ends the run
  Calibration calibration = Calibration::automatic;
  bool strict = false;          ///< an invalid model ends the run before any weight is read
  ProgressTerms progress = {};  ///< without the limit
  bool labels = false;          ///< the printed table shows labels where models have them
  bool html = true;             ///< whether a page is written
  bool multiqc = false;         ///< whether stemma_mqc.json is written
  TableWishes tables;
};

/// What came out. Only rank 0 has one.
struct AuditResult {
  std::vector<SurveyedModel> models;
  std::vector<Fingerprint> fingerprints;      ///< one per model, also for those that failed; same order
  std::vector<std::vector<FileFacts>> files;  ///< per model, parallel to its checkpoint's files
  Plan plan;
  Comparison comparison;
  std::vector<Failure> failures;
  ArchiveHashes hashes;
  Provenance provenance;
  std::uint64_t bytes_read = 0;
  double work_seconds = 0;
  ExitCode code = ExitCode::done;
};

/// Collective. Survey, plan, work, compare, archive. `request` and the result are rank 0's; the other ranks
/// pass nullptr and get nothing. A model or item that fails is a row of the result. Throws on every rank:
/// ConfigProblems, StorageError (disk), InvalidInput (strict), FailedElsewhere.
std::optional<AuditResult> audit(const World& world, const AuditRequest* request, Log& log);

}  // namespace stemma
