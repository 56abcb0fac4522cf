// How does a run become one archive, streamed, that exists under its name only when it is whole?
#pragma once
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "io/archive/origin_trace.hpp"
#include "io/archive/records.hpp"

namespace stemma {

/// Sizes of chunks (and of the buffers in front of them). They change the file, never its canonical hashes.
struct ArchiveChunks {
  std::size_t table_bytes = std::size_t{64} << 10;
  std::size_t payload_bytes = std::size_t{1} << 20;  ///< histogram bins, vectors
};

/// Writes one archive through a temporary file beside its final path. Memory does not grow with the number of
/// models but for 48 bytes per tensor (who is a duplicate of whom) and the texts of failures and findings,
/// which are sorted before they are written. Every function throws StorageError when the disk refuses.
/// A writer that is destroyed before publish() removes its temporary file.
class ArchiveWriter {
 public:
  /// Creates `final_path`.tmp.`job_suffix`. An older temporary of the same name is replaced.
  ArchiveWriter(std::filesystem::path final_path, std::string_view job_suffix, ArchiveChunks chunks = {});
  ~ArchiveWriter();
  ArchiveWriter(ArchiveWriter&&) noexcept;
  ArchiveWriter& operator=(ArchiveWriter&&) noexcept;

  /// Models come in ascending order of id, each once (else std::invalid_argument). Reads the features of
  /// "content" and "histogram" by subject path; layers and curves come from the fingerprint.
  void add_model(const ModelEntry& entry, const FeatureSource& features);

  /// In any order, before or after the model they are about.
  void add_failure(const Failure& failure);
  void add_finding(std::string_view model_id, const Finding& finding);

  /// A pair with its evidence, models by index in order of id; pairs come sorted by (a, b).
  void add_pair(const Pair& pair);
  /// What the weights of the pair that was added last say.
  void add_trace(const OriginTrace& trace);
  /// Scores of a population of unrelated pairs; call once for each.
  void add_background(std::string_view method, std::string_view population, std::span<const double> scores);
  void set_methods(std::span<const MethodRecord> methods);
  void set_provenance(const Provenance& provenance);
  void set_plan(const PlanRecord& plan);
  void set_config(std::string_view resolved_yaml, std::string_view original_yaml, std::string_view overrides);

  /// Closes, seals, reopens and validates, syncs, renames, syncs the directory. The file is read-only from
  /// then on. Throws InvalidInput(archive.invalid) with the first complaint when the file is not what was
  /// meant; it then stays under its temporary name for inspection.
  ArchiveHashes publish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stemma
