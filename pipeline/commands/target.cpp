// Is this an archive, by its first bytes or by what lies in the directory?
#include "pipeline/commands/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "io/archive/seal.hpp"
#include "io/archive/storage_error.hpp"
#include "io/config/presence.hpp"
#include "io/model/finding.hpp"
#include "pipeline/commands/command.hpp"
#include "pipeline/run_directory.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;

/// What cannot be read is of no kind.
bool has(bool (*property)(const fs::path&), const fs::path& file) {
  try {
    return property(file);
  } catch (const StorageError&) {
    return false;
  }
}

/// In a run directory every .h5 file, elsewhere those that are sealed; by name.
std::vector<fs::path> archives_in(const fs::path& directory, std::error_code& error) {
  const bool of_run = RunDirectory::is_one(directory);
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    std::error_code ignored;
    if (entry.path().extension() != ".h5" || !entry.is_regular_file(ignored)) continue;
    if (of_run || has(has_seal, entry.path())) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

fs::path only_archive_in(const fs::path& directory) {
  std::error_code error;
  const std::vector<fs::path> archives = archives_in(directory, error);
  if (error) throw StorageError(directory, "", "list", error.value());
  if (archives.size() == 1) return archives.front();
  const std::string name = printable(directory.string());
  if (archives.empty() && RunDirectory::is_one(directory))
    throw UsageError(fmt::format("{} holds no archive: its run has not come to its end. Run it again", name));
  if (archives.empty())
    throw UsageError(fmt::format(
        "{} holds no archive. Fingerprint its models first: stemma fingerprint MODEL... -o NAME.h5", name));
  std::vector<std::string> names;
  for (const fs::path& archive : archives) names.push_back(printable(archive.filename().string()));
  throw UsageError(
      fmt::format("{} holds {} archives: {}. Name one of them", name, names.size(), fmt::join(names, ", ")));
}

}  // namespace

bool is_archive(const std::string& target) {
  std::error_code error;
  if (fs::is_directory(target, error))
    return RunDirectory::is_one(target) || !archives_in(target, error).empty();
  return fs::is_regular_file(target, error) &&
         (fs::path(target).extension() == ".h5" || has(has_hdf5_signature, target));
}

fs::path archive_at(const std::string& target) {
  std::error_code error;
  if (fs::is_directory(target, error)) return only_archive_in(target);
  const std::string why = why_absent(target);
  if (why.empty()) return target;
  if (why != "does not exist") throw UsageError(fmt::format("{} {}", printable(target), why));
  throw UsageError(fmt::format("{} is neither an archive nor a run directory (there is no such file){}",
                               printable(target), advice_on_absent(target)));
}

}  // namespace stemma
