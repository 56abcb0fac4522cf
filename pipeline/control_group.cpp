// Every group on the way up has a limit of its own, and all of them hold.
#include "pipeline/control_group.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace stemma {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

/// How a version of control groups calls its files.
struct Dialect {
  const char *limit, *usage, *droppable;
};
constexpr Dialect version_1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};
constexpr Dialect version_2{"memory.max", "memory.current", "inactive_file"};

std::optional<std::uint64_t> number_in(const fs::path& file) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  if (in >> value) return value;
  return std::nullopt;  // absent, or the word "max"
}

/// Value of "key 123" in memory.stat, 0 when there is none.
std::uint64_t counter_in(const fs::path& file, std::string_view wanted) {
  std::ifstream in(file);
  std::string key;
  for (std::uint64_t value = 0; in >> key >> value;)
    if (key == wanted) return value;
  return 0;
}

std::uint64_t room_of(const fs::path& group, const Dialect& names) {
  const auto limit = number_in(group / names.limit);
  if (!limit) return unlimited;
  const std::uint64_t used = number_in(group / names.usage).value_or(0);
  const std::uint64_t kept = used - std::min(used, counter_in(group / "memory.stat", names.droppable));
  return *limit - std::min(*limit, kept);
}

/// The least room from `group` up to `mount`. In a container the host's names of groups may not exist here:
/// then the mount itself is the container's group, and what is absent does not limit.
std::uint64_t least_room(const fs::path& mount, const fs::path& group, const Dialect& names) {
  std::uint64_t least = room_of(mount, names);
  fs::path at = mount;
  for (const fs::path& step : group.relative_path())
    if (step != "..") least = std::min(least, room_of(at /= step, names));
  return least;
}

}  // namespace

std::uint64_t control_group_room(const ControlGroupPlaces& places) {
  std::uint64_t least = unlimited;
  std::ifstream in(places.membership);
  for (std::string line; std::getline(in, line);) {  // "4:memory,cpu:/a/b", version 2 "0::/a/b"
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const fs::path group = line.substr(second + 1);
    if (controllers == ",,") {
      least = std::min(least, least_room(places.mount, group, version_2));
      least = std::min(least, least_room(places.mount / "unified", group, version_2));
    } else if (controllers.find(",memory,") != std::string::npos) {
      least = std::min(least, least_room(places.mount / "memory", group, version_1));
    }
  }
  return least;
}

}  // namespace stemma
