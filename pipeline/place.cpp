// Trying is surer than asking: quotas, mounts and permissions all answer at once.
#include "pipeline/place.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "io/archive/storage_trial.hpp"
#include "io/formats/descriptor.hpp"

namespace stemma {
namespace {

std::optional<bool> offers_direct(const std::filesystem::path& directory) {
  const std::string path = (directory / fmt::format("stemma-doctor-{}.tmp", getpid())).string();
  const Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.number() < 0) return std::nullopt;
  const bool offered = reopen_direct(file).has_value();
  unlink(path.c_str());
  return offered;
}

}  // namespace

std::optional<std::uint64_t> free_space(const std::filesystem::path& directory) {
  struct statvfs status {};
  if (statvfs(directory.c_str(), &status) != 0) return std::nullopt;
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

OutputPlace examine_place(const std::filesystem::path& directory) {
  OutputPlace place;
  place.path = std::filesystem::absolute(directory).lexically_normal().string();
  if (place.path.size() > 1 && place.path.ends_with('/')) place.path.pop_back();
  const Descriptor folder(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.number() < 0) {
    place.problem = std::strerror(errno);
    return place;
  }
  place.filesystem = filesystem_of(folder);
  place.free_bytes = free_space(directory).value_or(0);
  place.direct = offers_direct(directory);
  const StorageTrial trial = try_storage(directory);
  place.problem = trial.problem;
  place.locks = trial.locks;
  return place;
}

}  // namespace stemma
