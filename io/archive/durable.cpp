// How does a temporary file become a published one?
#include "io/archive/durable.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "io/archive/storage_error.hpp"

namespace stemma {
namespace {

void sync_path(const std::filesystem::path& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC);
  if (file < 0) throw StorageError(path.string(), "", "open", errno);
  const int error = fsync(file) == 0 ? 0 : errno;
  ::close(file);
  // Some network file systems cannot sync a directory; the rename is as durable as they make it.
  const bool unsupported = (flags & O_DIRECTORY) != 0 && (error == EINVAL || error == ENOTSUP);
  if (error != 0 && !unsupported) throw StorageError(path.string(), "", "sync", error);
}

}  // namespace

void publish_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  sync_path(from, O_RDONLY);
  if (chmod(from.c_str(), 0444) != 0) throw StorageError(from.string(), "", "protect", errno);
  if (std::rename(from.c_str(), to.c_str()) != 0) throw StorageError(to.string(), "", "rename", errno);
  sync_path(to.has_parent_path() ? to.parent_path() : ".", O_RDONLY | O_DIRECTORY);
}

}  // namespace stemma
