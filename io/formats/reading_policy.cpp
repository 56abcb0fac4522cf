// What each file system likes was measured by others; what a mount refuses is learnt once.
#include "io/formats/reading_policy.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>

#include "io/model/finding.hpp"

namespace stemma {
namespace {

constexpr std::size_t least_on_lustre = std::size_t{4} << 20;
constexpr std::size_t least_anywhere = std::size_t{256} << 10;

/// The uppermost directory above `path` on its device: how all ranks name one mount, whatever they read.
std::string mount_of(const std::string& path, std::uint64_t device) {
  std::filesystem::path mount = path;
  for (std::filesystem::path up = mount.parent_path(); up != mount; up = mount.parent_path()) {
    struct stat status {};
    if (stat(up.c_str(), &status) != 0 || status.st_dev != device) break;
    mount = up;
  }
  return mount.string();
}

}  // namespace

bool ReadingPolicy::wants_direct(std::string_view filesystem, std::uint64_t device, std::size_t bytes) const {
  if (mode_ == DirectReading::never) return false;
  const bool wanted = mode_ == DirectReading::always ? bytes >= least_anywhere
                                                     : filesystem == "lustre" && bytes >= least_on_lustre;
  if (!wanted) return false;
  const std::lock_guard lock(access_);
  return !refused_.contains(device);
}

void ReadingPolicy::direct_refused(std::uint64_t device, const std::string& path) {
  const std::lock_guard lock(access_);
  refused_.try_emplace(device, path);
}

std::vector<std::string> ReadingPolicy::notes() const {
  const std::lock_guard lock(access_);
  std::vector<std::string> sentences;
  for (const auto& [device, path] : refused_)
    sentences.push_back(
        fmt::format("the file system at {} takes no O_DIRECT, so it was read through the page cache "
                    "(runtime.io.direct: never says so from the start)",
                    printable(mount_of(path, device), 400)));
  return sentences;
}

}  // namespace stemma
