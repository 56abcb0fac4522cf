// What kind of place is this directory, for weights to be read from and archives to be written to?
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace stemma {

/// What the process that asked found out.
struct OutputPlace {
  std::string path;              ///< absolute
  std::string problem;           ///< why archives cannot be written here; "" when they can
  std::string filesystem;        ///< "lustre", "nfs", "local", ...
  std::optional<bool> direct;    ///< is O_DIRECT offered? Unknown where nothing can be written
  bool locks = false;            ///< can files be locked?
  std::uint64_t free_bytes = 0;  ///< for this user
};

/// Writes, reads and removes a small archive in `directory`. Never throws for what the disk refuses.
OutputPlace examine_place(const std::filesystem::path& directory);

/// Bytes that this user may still write below `directory`; nothing when it cannot be asked.
std::optional<std::uint64_t> free_space(const std::filesystem::path& directory);

}  // namespace stemma
