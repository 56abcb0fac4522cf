// When is a file safe on disk under its final name?
#pragma once
#include <filesystem>

namespace stemma {

/// Makes `from` read-only, waits until it is on the disk, gives it the name `to` (in the same directory) and
/// waits until the name is on the disk too. Throws StorageError.
void publish_file(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace stemma
