// Where does a run put what it makes, and what if something is there already?
#pragma once
#include <filesystem>
#include <string>

#include "io/config/run_config.hpp"
#include "pipeline/audit.hpp"

namespace stemma {

/// A run directory is kept from another configuration: it would mix the results of both.
class OtherConfiguration : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class ExistingRun : std::uint8_t { keep, set_aside };

/// The directory of one run. Everything in it is written whole under its final name, or not at all.
class RunDirectory {
 public:
  /// Creates or enters `path`. One whose results another configuration made (see results_yaml) is refused
  /// with the first difference (OtherConfiguration), or with set_aside moved to NAME.old-1, .old-2, ...
  /// Throws StorageError.
  RunDirectory(std::filesystem::path path, const RunConfig& config, ExistingRun existing);

  /// Does a run lie here, finished or not? It is known by its resolved configuration.
  static bool is_one(const std::filesystem::path& directory);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path archive(const std::string& name) const { return path_ / (name + ".h5"); }
  const std::filesystem::path& store() const { return store_; }  ///< runtime.store, or one of its own
  /// For what this run needs until its end.
  std::filesystem::path scratch() const { return path_ / "scratch"; }
  std::filesystem::path log() const { return path_ / "log" / "run.log"; }
  std::filesystem::path status() const { return path_ / "status.json"; }

  void write(const std::string& file, std::string_view text) const;
  /// For the end of a run: empties scratch(), which is its own, and removes what earlier attempts were
  /// writing elsewhere when they were killed. What began later than this run may be somebody's.
  void remove_leftovers() const;

 private:
  void remove_leftovers(const std::filesystem::path& directory) const;

  std::filesystem::path path_, store_;
};

}  // namespace stemma
