// What is the thing that the user named: an archive, a run, a model?
#pragma once
#include <filesystem>
#include <string>

namespace stemma {

/// A file with HDF5's signature, or a run directory that holds an archive.
bool is_archive(const std::string& target);

/// The archive itself: `target`, or the one in the run directory. Throws UsageError when there is none.
std::filesystem::path archive_at(const std::string& target);

}  // namespace stemma
