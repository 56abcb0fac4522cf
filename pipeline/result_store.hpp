// Where do results stay between the worker and the archive?
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "io/archive/record_log.hpp"
#include "pipeline/perform.hpp"
#include "pipeline/plan.hpp"

namespace stemma {

/// Results on disk for the time of one run, found by model, analyzer and subject. Memory holds one offset per
/// subject.
class ResultStore {
 public:
  /// Begins a new record log; throws StorageError. `models` is the number of surveyed models.
  ResultStore(const std::filesystem::path& log, std::size_t models);
  /// Removes the log: once the archive has the results, or the run has failed, nobody reads it.
  ~ResultStore();
  ResultStore(const ResultStore&) = delete;
  ResultStore& operator=(const ResultStore&) = delete;

  /// Appends the features of one item of `model`. Throws StorageError.
  void add(std::uint32_t model, const ItemResult& result);

  FeatureSource of_model(std::uint32_t model) const;

  /// Subjects of `model` that failed so far.
  struct FailedSubject {
    std::string subject;  ///< "histogram layers/3/attn.q"
    std::string rule, problem, suggestion;
    int rank = 0;        ///< where it failed
    double seconds = 0;  ///< spent on it
    std::string when;    ///< ISO 8601 UTC
  };
  const std::vector<FailedSubject>& failed(std::uint32_t model) const { return failed_[model]; }
  /// Subjects of `model` that have a result, failed or not.
  std::size_t known(std::uint32_t model) const { return offsets_[model].size(); }

 private:
  RecordLog log_;
  std::vector<std::unordered_map<std::string, std::uint64_t>> offsets_;
  std::vector<std::vector<FailedSubject>> failed_;
};

}  // namespace stemma
