// How does a configuration become a request to the engine?
#pragma once
#include <string>
#include <vector>

#include "io/config/models.hpp"
#include "io/config/run_series.hpp"
#include "pipeline/audit.hpp"
#include "pipeline/commands/command.hpp"
#include "pipeline/commands/words.hpp"

namespace stemma {

/// One run: a configuration with its texts, as one process read it.
struct Configuration {
  RunConfig config;
  std::string original;   ///< text of the file
  std::string overrides;  ///< one per line
  std::vector<std::string> notes;
};

/// The runs that a configuration asks for, with its texts.
struct ConfiguredRuns {
  RunSeries series;
  std::string original;   ///< text of the file
  std::string overrides;  ///< one per line
  std::vector<std::string> notes;

  /// One of them, with the overrides that make it of the file: those of a point too.
  Configuration at(std::size_t index) const;
};

/// Splits `arguments` into the configuration file (exactly one) and overrides, and reads them. Throws
/// UsageError, ConfigProblems.
ConfiguredRuns read_configuration(const std::vector<Word>& words);

/// The models that the configuration names. Looks at the file system. Throws ConfigProblems.
std::vector<ModelRequest> requested_models(const RunConfig& config, std::vector<std::string>& notes);

/// Directories of further architecture tables: those of the configuration (or the environment), then
/// --architectures.
std::vector<std::filesystem::path> architectures_of(const RunConfig& config, const Invocation& invocation);

std::vector<Question> questions_of(const RunConfig& config);
ComparisonPlan comparison_of(const RunConfig& config);
/// Nothing when trace.enabled is false or no test is left.
std::optional<TracePlan> trace_of(const RunConfig& config);
/// Throws ConfigProblems for every row of a list of pairs that names a model which is not there, or one model
/// twice. `file` is where the pairs stand, from its second line on.
void check_pair_list(const std::vector<std::pair<std::string, std::string>>& pairs, const std::string& file,
                     const std::vector<std::string>& ids);

/// -v and -q come before the configuration's (or the environment's) level.
Verbosity verbosity_of(const RunConfig& config, const Invocation& invocation);

/// How stages are shown; --progress wins over runtime.progress.
ProgressTerms progress_of(const RunConfig& config, const Invocation& invocation);

CoordinatorMode coordinator_of(const RunConfig& config);
DirectReading direct_reading_of(const RunConfig& config);

TableWishes tables_of(const RunConfig& config);

/// Fingerprints only: no pair is compared, and no weight is read again.
void leave_out_pairs(AuditRequest& request);

/// How work is done and shown, whatever is asked about which models: all but models, questions and pairs.
AuditRequest conduct_of(const Configuration& configuration, const Invocation& invocation);

/// Everything but the paths of archive, store and status file.
AuditRequest request_of(const Configuration& configuration, const Invocation& invocation,
                        std::vector<std::string>& notes);

}  // namespace stemma
