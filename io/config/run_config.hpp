// What shall this run do? One YAML file and its overrides as a plain value.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/config/input_path.hpp"
#include "io/config/overrides.hpp"
#include "io/config/problems.hpp"

namespace stemma {

/// A subject is judged, a reference is a possible relative that is not judged, a background model is declared
/// unrelated and feeds the null only. io/config stands below io/archive and therefore has its own word for
/// Use.
enum class ModelUse : std::uint8_t { subject, reference, background };

/// One entry of `models` before globs and sheets are expanded.
struct ModelListing {
  enum class Kind : std::uint8_t { path, glob, sheet, adapter };

  Kind kind = Kind::path;
  std::string location;  ///< absolute
  std::string id;        ///< empty: made from the path
  std::string label;
  std::vector<std::string> base;
  std::string relation;
  std::string family;
  ModelUse use = ModelUse::subject;
  std::string revision;
  std::string variant;
  std::string architecture;
  std::string on;     ///< of an adapter: the id of its base
  std::string place;  ///< "configs/audit.yaml:14:5"; where it was written does not count in comparisons

  bool operator==(const ModelListing& other) const;
};

enum class Pairs : std::uint8_t { all, declared, reference, listed };
enum class TracedPairs : std::uint8_t { candidates, declared, listed, all };
enum class DeclaredLineage : std::uint8_t { check, ignore };
enum class TreeMethod : std::uint8_t { neighbour_joining, average, none };
enum class Labels : std::uint8_t { label, id };
enum class ReportedPairs : std::uint8_t { candidates, all };
enum class ReportedFeatures : std::uint8_t { automatic, yes, no };
enum class DirectIo : std::uint8_t { automatic, always, never };
enum class CoordinatorStyle : std::uint8_t { automatic, shared, dedicated };
enum class ProgressStyle : std::uint8_t { automatic, bar, lines, none };
enum class LogLevel : std::uint8_t { debug, info, warn };

/// Name -> option -> value; the names present are those that run. Booleans are 0 and 1.
using AnalyzerOptions = std::map<std::string, std::map<std::string, double>>;
using TestOptions = std::map<std::string, std::map<std::string, std::string>>;

/// The initial values here are the defaults, and their only place.
struct RunConfig {
  struct Compare {
    std::vector<std::string> against;  ///< absolute paths of archives, or of directories that hold one
    Pairs pairs = Pairs::all;
    std::string list;  ///< absolute path of a TSV with columns a, b; empty unless pairs is `listed`
    TestOptions tests = {{"content", {}},
                         {"histogram", {}},
                         {"intrinsic_fingerprint", {{"depth", "interp_longer"}, {"min_layers", "8"}}},
                         {"neuron_match", {}},
                         {"tensorguard", {}}};
    std::string background = "corpus";  ///< "corpus", "published", "none", or the path of a table
    /// Ids, or patterns of ids, of models that are independent of all others, beside those of use
    /// `background`.
    std::vector<std::string> independent;
    bool operator==(const Compare&) const = default;
  };
  struct Trace {
    bool enabled = true;
    TracedPairs pairs = TracedPairs::candidates;
    std::string list;  ///< absolute path of a TSV with columns a, b; empty unless pairs is `listed`
    std::int64_t max_pairs = 1000;
    AnalyzerOptions tests = {{"origin_tracer", {{"max_rank", 256}}}};
    bool operator==(const Trace&) const = default;
  };
  struct Verdicts {
    DeclaredLineage declared = DeclaredLineage::check;
    double fdr = 0.01;              ///< level of false discoveries over all tested pairs
    double min_share = 0.1;         ///< of its neurons from which on an MLP agrees
    double min_layers_share = 0.5;  ///< of the MLPs of a model, which have to agree
    TreeMethod tree = TreeMethod::neighbour_joining;
    std::int64_t tree_support = 100;  ///< resamplings
    bool operator==(const Verdicts&) const = default;
  };
  struct Report {
    bool html = true;
    std::string title;  ///< "": the name of the run
    std::string subtitle;
    Labels labels = Labels::id;
    std::int64_t max_size = 10'000'000;  ///< bytes of the page
    ReportedPairs pairs = ReportedPairs::all;
    ReportedFeatures features = ReportedFeatures::automatic;
    bool redact_paths = false;
    bool multiqc = false;
    bool operator==(const Report&) const = default;
  };
  struct Runtime {
    struct Io {
      DirectIo direct = DirectIo::automatic;
      bool operator==(const Io&) const = default;
    };
    std::optional<std::uint64_t> memory_per_rank;  ///< bytes; nullopt: from the machine
    std::string store;  ///< directory, relative to the working directory; empty: in the run directory
    bool rehash = false;
    bool strict = false;
    bool reproducible = false;  ///< spectra equal bit for bit on any number of ranks
    CoordinatorStyle coordinator = CoordinatorStyle::automatic;
    std::string calibration = "auto";  ///< "auto", "measure", "reference" or an absolute path
    Io io;
    ProgressStyle progress = ProgressStyle::automatic;
    std::int64_t progress_every = 30;  ///< seconds
    LogLevel log_level = LogLevel::info;
    std::string deadline = "auto";      ///< a Moment as it is written
    std::int64_t deadline_margin = 90;  ///< seconds
    bool operator==(const Runtime&) const = default;
  };

  std::int64_t schema_version = 1;
  std::string name;
  std::string description;
  std::string contact;
  std::string output =
      "runs/{name}";  ///< after reading with the name in it; relative to the working directory
  std::int64_t seed = 1;
  std::vector<std::string> architectures;  ///< absolute directories
  std::vector<ModelListing> models;
  AnalyzerOptions analyzers = {
      {"content", {{"sha256", 0}}},
      {"histogram", {}},
      {"intrinsic_fingerprint", {{"further", 1}, {"twin", 1}}},
      {"neuron_match", {}},
      {"spectrum", {{"crosscheck_every", 128}, {"largest", 16384}, {"refine", 0}}},
      {"tensorguard", {{"max_layer", 15}, {"mode", 0}, {"repaired", 1}, {"samples", 15}, {"targets", 10}}}};
  Compare compare;
  Trace trace;
  Verdicts verdicts;
  Report report;
  Runtime runtime;

  bool operator==(const RunConfig&) const = default;
};

/// Reads a file and applies the environment (STEMMA_ARCHITECTURES, STEMMA_LOG, STEMMA_STORE), then the
/// overrides from left to right. A sweep is a problem here: it is several runs (run_series.hpp). Throws
/// ConfigProblems with everything that is wrong. Notes get one line for each thing that is worth a look.
/// Touches no file but this one: globs and sheets are expanded by expand_models.
RunConfig read_run_config(const std::string& file, const std::vector<Override>& overrides,
                          std::vector<std::string>& notes,
                          const Environment& environment = process_environment());

/// The same from a text that somebody has read already; `file` is its name in messages and the anchor of its
/// relative paths.
RunConfig parse_run_config(std::string_view text, const std::string& file,
                           const std::vector<Override>& overrides, std::vector<std::string>& notes,
                           const Environment& environment = process_environment());

/// Every key with its value, in the order of the key table. Reads back to an equal RunConfig from any
/// directory.
std::string resolved_yaml(const RunConfig& config);

/// The part of it that decides what comes out: without words about the run, places, looks and the behaviour
/// of the engine. Equal texts give equal results.
std::string results_yaml(const RunConfig& config);

}  // namespace stemma
