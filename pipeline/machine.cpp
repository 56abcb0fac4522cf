// Linux is asked through /proc and the control groups.
#include "pipeline/machine.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>

namespace stemma {
namespace {

std::optional<std::uint64_t> number_in(const char* file) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  if (in >> value) return value;
  return std::nullopt;  // absent, or the word "max"
}

/// Value of "Key:  123 kB" in /proc, in bytes.
std::uint64_t available_memory() {
  std::ifstream in("/proc/meminfo");
  std::string key, unit;
  for (std::uint64_t kilobytes = 0; in >> key >> kilobytes; std::getline(in, unit))
    if (key == "MemAvailable:") return kilobytes * 1024;
  return std::uint64_t{1} << 30;
}

/// What the control group still allows; no limit when there is none.
std::uint64_t control_group_room() {
  constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();
  const auto limit = number_in("/sys/fs/cgroup/memory.max");
  if (!limit) return unlimited;
  return *limit - std::min(*limit, number_in("/sys/fs/cgroup/memory.current").value_or(0));
}

}  // namespace

std::uint64_t memory_budget(int ranks_here) {
  const std::uint64_t room = std::min(available_memory(), control_group_room());
  return room / 10 * 9 / static_cast<std::uint64_t>(std::max(ranks_here, 1));
}

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name"))
      if (const auto colon = line.find(": "); colon != std::string::npos) return line.substr(colon + 2);
  return "";
}

std::string new_uuid() {
  std::ifstream in("/proc/sys/kernel/random/uuid");
  std::string text;
  in >> text;
  return text;
}

}  // namespace stemma
