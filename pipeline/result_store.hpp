// Where do results stay between the worker and the archive, and until the next attempt?
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "io/archive/fingerprint.hpp"
#include "io/archive/record_log.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/perform.hpp"
#include "pipeline/plan.hpp"

namespace stemma {

/// What becomes of the results of a round that does not come to its end.
enum class Leftovers : std::uint8_t { removed, kept };

/// Results on disk, found by model, analyzer and subject. Memory holds one place per subject.
class ResultStore {
 public:
  /// Begins a record log of this round in `directory`, which is made. With Leftovers::kept results that an
  /// earlier attempt at a round of this name left there can be recalled. Throws StorageError. `models` is the
  /// number of surveyed models.
  ResultStore(const std::filesystem::path& directory, const std::string& round, std::size_t models,
              Leftovers leftovers = Leftovers::removed);
  /// Removes the log, unless leftovers are kept.
  ~ResultStore();
  ResultStore(const ResultStore&) = delete;
  ResultStore& operator=(const ResultStore&) = delete;

  /// Appends the features of one item of `model` under their keys. Throws StorageError. What is appended
  /// outlives this process at once, and its machine after a minute.
  void add(std::uint32_t model, const ItemResult& result);

  /// Whether anything was left by earlier attempts.
  bool has_leftovers() const { return !left_.empty(); }
  /// Takes over what an earlier attempt found for all of these subjects; false, and nothing is taken, where
  /// it did not find every one of them, or failed at one.
  bool recall(std::uint32_t model, std::span<const Subject> subjects, std::span<const Hash128> keys);

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
  std::size_t known(std::uint32_t model) const { return places_[model].size(); }

 private:
  struct Place {
    std::size_t log = 0;  ///< index into logs_
    std::uint64_t offset = 0;
  };
  void look_at_leftovers(const std::filesystem::path& directory, const std::string& round);

  std::vector<RecordLog> logs_;  ///< the own one first
  Leftovers leftovers_;
  std::map<Hash128, Place> left_;
  std::vector<std::unordered_map<std::string, Place>> places_;
  std::vector<std::vector<FailedSubject>> failed_;
  Stopwatch since_sync_;
};

/// Removes what rounds left in `directory`, results and maps of streams: once an archive has the results
/// nobody asks for them.
void remove_leftovers(const std::filesystem::path& directory);

}  // namespace stemma
