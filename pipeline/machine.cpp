// Linux is asked through /proc and the control groups.
#include "pipeline/machine.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

#include "analyzers/numerics/blas_memory.hpp"
#include "io/config/problems.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/control_group.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

/// Value of the line "Key:  123 kB" of a file in /proc, in bytes.
std::optional<std::uint64_t> bytes_in(const char* file, std::string_view key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(key)) continue;
    std::uint64_t kilobytes = 0;
    if (std::istringstream(line.substr(key.size())) >> kilobytes) return kilobytes * 1024;
  }
  return std::nullopt;
}

std::uint64_t available_memory() {
  return bytes_in("/proc/meminfo", "MemAvailable:").value_or(std::uint64_t{1} << 30);
}

/// Limit of this process (ulimit -v); nothing when there is none.
std::optional<std::uint64_t> address_space_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return limit.rlim_cur;
}

struct Room {
  std::uint64_t bytes = 0;
  const char* limit = "";
};

Room least_room(int ranks_here) {
  const std::uint64_t free = available_memory(), group = control_group_room();
  const std::uint64_t share =
      std::min(free, group) / 10 * 9 / static_cast<std::uint64_t>(std::max(ranks_here, 1));
  const std::uint64_t own = address_space_limit().value_or(share);  // that limit is each rank's own
  if (own < share) return {own, "limit of address space"};
  return {share, group < free ? "control group" : "free memory"};
}

std::string address_space_words() {
  const auto limit = address_space_limit();
  if (!limit) return "no limit of address space is set, so the machine itself has no more";
  return fmt::format("the limit of address space is {}", memory_words(static_cast<double>(*limit)));
}

}  // namespace

std::uint64_t memory_budget(int ranks_here) { return least_room(ranks_here).bytes; }

std::uint64_t peak_memory() { return bytes_in("/proc/self/status", "VmHWM:").value_or(0); }

std::string memory_limit(int ranks_here) { return least_room(ranks_here).limit; }

void require_blas_memory(int rank) {
  if (reserve_blas_memory()) return;
  throw ConfigProblems(
      {Problem{.file = "",
               .line = 0,
               .column = 0,
               .key = "",
               .message = fmt::format(
                   "too little memory to begin (BLAS needs {} at once, and {}). Raise ulimit -v or the "
                   "job's memory, or start fewer ranks per node",
                   memory_words(static_cast<double>(blas_memory)), address_space_words()),
               .place = fmt::format("rank {} on {}", rank, host_name())}});
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
