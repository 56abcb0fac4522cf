// How much memory do the control groups of this process still allow?
#pragma once
#include <cstdint>
#include <filesystem>

namespace stemma {

/// Where Linux shows control groups; tests show others.
struct ControlGroupPlaces {
  std::filesystem::path mount = "/sys/fs/cgroup";
  std::filesystem::path membership = "/proc/self/cgroup";
};

/// Bytes that may be taken before the first limit is met, in the group of this process or in one above it;
/// version 1 and 2, and both at once. Page cache that can be dropped at once is free. The largest number when
/// nothing limits.
std::uint64_t control_group_room(const ControlGroupPlaces& places = {});

}  // namespace stemma
