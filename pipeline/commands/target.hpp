// What is the thing that the user named: an archive, a run, a model?
#pragma once
#include <filesystem>
#include <string>

namespace stemma {

/// A file with HDF5's signature or name; a run directory, which is known by its resolved configuration; a
/// directory that holds a sealed archive. Other programs keep files named *.h5 beside weights: they make no
/// archive of a model directory.
bool is_archive(const std::string& target);

/// The archive itself: `target`, or the one in the directory. Throws UsageError when there is none, or more
/// than one; StorageError when the directory cannot be listed.
std::filesystem::path archive_at(const std::string& target);

}  // namespace stemma
