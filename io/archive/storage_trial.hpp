// Can archives be written in this directory, and read by others?
#pragma once
#include <filesystem>
#include <string>

namespace stemma {

/// What came of writing, reading back and renaming a small archive.
struct StorageTrial {
  std::string problem;  ///< why that failed; "" when it went well
  bool locks = false;   ///< files can be locked, as other HDF5 programs do when they open an archive
};

/// Leaves nothing behind. Never throws for what the disk refuses.
StorageTrial try_storage(const std::filesystem::path& directory);

/// "1.10.8 (serial)"
std::string hdf5_library();

}  // namespace stemma
