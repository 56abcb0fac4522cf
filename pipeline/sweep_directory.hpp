// Where do the points of a sweep lie, and what became of each?
#pragma once
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/config/run_series.hpp"

namespace stemma {

/// What is known of a point that was begun.
struct PointRecord {
  std::string started;           ///< ISO 8601 UTC; "" for a point that was never begun
  std::optional<int> exit_code;  ///< nothing while it runs, and when it died
  std::optional<double> seconds;
  std::string canonical_exact;  ///< of its archive; "" without one
};

/// Directory of a sweep. Every point has a run directory below it, pKK-DIGEST: KK is its number and DIGEST
/// the beginning of a hash of what decides its results. Points are run by one process after the other or by
/// many at once, on several machines, and any of them may die: each writes a record of its own, and sweep.tsv
/// is put together from all records.
class SweepDirectory {
 public:
  /// Looks at no disk.
  SweepDirectory(std::filesystem::path path, const RunSeries& series);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path table_file() const { return path_ / "sweep.tsv"; }
  std::filesystem::path store() const { return path_ / "store"; }

  std::size_t size() const { return points_.size(); }
  const std::vector<std::string>& keys() const { return keys_; }  ///< that vary
  const std::vector<std::string>& values(std::size_t point) const { return points_[point].values; }
  const std::string& digest(std::size_t point) const { return points_[point].digest; }  ///< 8 hex digits
  std::string name(std::size_t point) const;                                            ///< "p07-3f2a91c4"
  std::filesystem::path directory(std::size_t point) const { return path_ / name(point); }

  /// What its directory says; a record that is absent or none is that of a point that was never begun.
  PointRecord record_of(std::size_t point) const;
  /// Writes the record of a point, whose directory exists, and sweep.tsv anew. Throws StorageError.
  void write(std::size_t point, const PointRecord& record) const;

  /// sweep.tsv: point, directory, one column for each key, digest, exit_code, started, seconds,
  /// canonical_exact.
  std::string table() const;

 private:
  struct Point {
    std::vector<std::string> values;
    std::string digest;
  };
  std::filesystem::path path_;
  std::vector<std::string> keys_;
  std::vector<Point> points_;
};

/// A sentence when the job array of which this process is a task (SLURM_ARRAY_TASK_MIN, _MAX, _COUNT) leaves
/// out points of a sweep of this size; "" otherwise, and outside of an array.
std::string missed_points(std::size_t size, const Environment& environment);
/// The same when this process runs all points and belongs to an array of several tasks.
std::string points_run_often(const Environment& environment);

}  // namespace stemma
