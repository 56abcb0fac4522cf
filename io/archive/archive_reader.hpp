// What does a published archive say?
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/archive/origin_trace.hpp"
#include "io/archive/records.hpp"
#include "io/model/dtype.hpp"

namespace stemma {

struct ModelRow {
  std::string id;
  std::string label;
  std::string path;
  std::string revision;
  std::string family;
  std::string format;
  std::string config_json;
  Use use = Use::subject;
  Status status = Status::ok;
  std::uint64_t parameters = 0;
  std::uint64_t bytes = 0;
  int layers = 0;
  std::uint64_t first_tensor = 0;
  std::uint64_t tensors = 0;
  std::vector<Claim> declared;
};

/// A row of /tensors: a stored tensor (role empty when it is split or transposed) or one of its views.
struct TensorRow {
  std::string name;
  std::string role;
  std::string steps;
  Dtype dtype = Dtype::f32;
  Status status = Status::pending;
  std::uint64_t rows = 0;
  std::uint64_t cols = 0;
  std::uint64_t bytes = 0;
  Hash128 content;
  bool content_known = false;
  std::optional<std::uint64_t> view_of;       ///< tensor row
  std::optional<std::uint64_t> duplicate_of;  ///< tensor row
};

struct ConfigTexts {
  std::string resolved_yaml;
  std::string original_yaml;
  std::string overrides;
};

/// Opening with check reads the whole file once and refuses changed bytes and a seal that is gone; trust
/// leaves that out.
enum class SealCheck : std::uint8_t { check, trust };

/// A sketch of neurons takes megabytes a model; whoever only shows what was found leaves it.
enum class Sketches : std::uint8_t { read, leave };

/// What a test says of a pair as a whole: the row of evidence without a role. NaN where there is none.
struct Headline {
  double score = missing, control = missing, background_percentile = missing, log10_p = missing;
};

class ArchiveReader {
 public:
  /// Throws InvalidInput: archive.not_found, archive.not_an_archive, archive.unsealed, archive.damaged,
  /// archive.incomplete, archive.newer_version; rule tells which.
  explicit ArchiveReader(const std::filesystem::path& path, SealCheck seal = SealCheck::check);
  ~ArchiveReader();
  ArchiveReader(ArchiveReader&&) noexcept;
  ArchiveReader& operator=(ArchiveReader&&) noexcept;

  const std::vector<ModelRow>& models() const;
  /// The value that was written, for one model or for all in order of id.
  Fingerprint fingerprint(std::size_t model, Sketches sketches = Sketches::read) const;
  std::vector<Fingerprint> fingerprints(Sketches sketches = Sketches::read) const;
  std::vector<TensorRow> tensors(std::size_t model) const;
  /// Features of analyzer "histogram" of one tensor row, as far as archives keep them: moments, quantiles,
  /// codes and counts, the values of vectors. Nothing when it was not measured.
  std::optional<Features> histogram(std::uint64_t tensor_row) const;
  /// The same of analyzer "spectrum": values, errors, checks and descriptors.
  std::optional<Features> spectrum(std::uint64_t tensor_row) const;

  std::vector<Pair> pairs() const;
  /// The same without evidence: half a million pairs fit in memory.
  std::vector<Pair> pair_verdicts() const;
  /// By method, one for each pair.
  std::map<std::string, std::vector<Headline>> headlines() const;
  /// By pair, the scores of all rows of a method whose role begins so, in their order.
  std::vector<std::vector<float>> scores_of_places(std::string_view method, std::string_view prefix) const;
  /// By pair, how its p-value was obtained: the grade of the row that gave it; nothing where
  /// no row did.
  std::vector<std::optional<Grade>> grades() const;
  /// All rows of these pairs, which are places in pairs().
  std::vector<std::vector<Evidence>> evidence(std::span<const std::size_t> pairs) const;
  /// What origin_tracer read of these pairs; empty where no weights were read.
  std::vector<std::vector<OriginReading>> origin_readings(std::span<const std::size_t> pairs) const;
  std::vector<BackgroundScores> backgrounds() const;
  /// A text column of /provenance, one value for each run that contributed.
  std::vector<std::string> of_runs(const std::string& column) const;
  std::vector<Failure> failures() const;
  std::vector<ModelFinding> findings() const;
  ConfigTexts config() const;
  ArchiveHashes hashes() const;  ///< as stored
  /// Text attribute of the root: "run_uuid", "created", "plan_digest", ...; "" when absent.
  std::string attribute(const std::string& name) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stemma
