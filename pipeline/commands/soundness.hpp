// Is one target what it must be: an archive, a checkpoint?
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/archive/records.hpp"
#include "io/model/architecture.hpp"
#include "pipeline/commands/against.hpp"
#include "pipeline/commands/expectation.hpp"
#include "pipeline/commands/file_hashes.hpp"
#include "pipeline/commands/reproduce.hpp"

namespace stemma {

/// What was found out about one target.
struct Report {
  std::string target, kind;
  std::vector<std::string> complaints;  ///< any of them makes the target invalid
  std::vector<std::string> remarks;     ///< warnings and notes
  ArchiveHashes hashes;
  Against against;  ///< relation "" without --against
  std::optional<Expectation> expectation;
  std::optional<FileHashes> files;
  std::optional<Reproduced> derived;

  bool sound() const { return complaints.empty(); }
};

/// How much of an archive is looked at.
enum class Depth : std::uint8_t { hashes, all };

/// The canonical hashes are those that the columns give: stored ones that differ are a complaint. Throws
/// UsageError where no archive is.
Report verify_archive(const std::filesystem::path& path, Depth depth);

/// All complaints about the files of a model.
Report verify_checkpoint(const std::string& location, const ArchitectureTables& tables);

/// Nothing is added to the report of an archive that is not sound.
void hold_one_against(Report& report, const Report& other);
/// The relations in the table `sheet`.
void hold_to(Report& report, const std::string& sheet);
/// SHA-256 of every file of a sound archive, or of a sound checkpoint.
void hold_to_files(Report& report, const std::string& inputs);
/// The checkpoints that a sound archive was made from, strictly, where they lie now.
void hold_to_checkpoints(Report& report, const std::string& inputs, const ArchitectureTables& tables);
/// What came out when the archive was derived again.
void take_derived(Report& report, Reproduced derived);

}  // namespace stemma
