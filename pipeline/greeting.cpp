// Versions, places and names: one line each, and nothing that changes a result.
#include "pipeline/greeting.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <vector>

#include "io/archive/layout.hpp"
#include "io/archive/storage_trial.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/version.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

/// Tasks of a Slurm job whose script started this process without srun or mpirun; 0 elsewhere.
int tasks_left_idle() {
  for (const char* of_a_step : {"SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_SIZE"})
    if (std::getenv(of_a_step) != nullptr) return 0;
  const char* text = std::getenv("SLURM_NTASKS");
  int tasks = 0;
  if (text != nullptr) std::from_chars(text, text + std::strlen(text), tasks);
  return tasks > 1 ? tasks : 0;
}

/// "; Slurm job 81733, restart 0"; "" outside of a job.
std::string job_words() {
  const char* job = std::getenv("SLURM_JOB_ID");
  if (job == nullptr) return "";
  const char* restart = std::getenv("SLURM_RESTART_COUNT");
  return fmt::format("; Slurm job {}{}", job, restart ? fmt::format(", restart {}", restart) : "");
}

/// Ranks that share cores wait for each other; of the first rank's machine alone, which is asked.
std::string crowd_words(std::span<const std::string> hosts) {
  const auto here = std::ranges::count(hosts, hosts.front());
  const auto cores = std::max(1L, sysconf(_SC_NPROCESSORS_ONLN));
  if (here <= cores) return "";
  return fmt::format("; {} has {}, so its ranks share them and predicted times do not hold", hosts.front(),
                     counted(static_cast<std::uint64_t>(cores), "core"));
}

}  // namespace

void say_program(Log& log, const std::string& command_line, const World& world) {
  log.info("start", fmt::format("stemma {} ({}, {}), archive format {}", version_text, commit_text,
                                build_text, layout::version));
  log.info("start", fmt::format("command: {}", command_line));
  if (const int tasks = tasks_left_idle(); tasks > 0 && world.all().size() == 1)
    log.warn(fmt::format("this job has {} tasks, and Stemma uses 1. Start it with srun or mpirun", tasks));
}

std::string nodes_words(std::span<const std::string> hosts) {
  constexpr std::size_t most = 8;
  std::map<std::string, std::uint64_t> ranks;
  for (const std::string& host : hosts) ++ranks[host];
  std::vector<std::string> named;
  for (const auto& [host, count] : ranks) {
    if (named.size() == most) break;
    named.push_back(fmt::format("{} ({})", host, counted(count, "rank")));
  }
  return fmt::format("{}: {}{}", counted(ranks.size(), "node"), fmt::join(named, ", "),
                     ranks.size() > most ? fmt::format(" and {} more", ranks.size() - most) : "");
}

void say_machines(Log& log, const Machines& machines) {
  log.info("start", nodes_words(machines.hosts) + crowd_words(machines.hosts) + job_words());
  const auto library = [](const char* name, const char* version) {
    return *version == '\0' ? std::string() : fmt::format(", {} {}", name, version);
  };
  log.info("start",
           fmt::format("HDF5 {}, {}{}{}; self-test passed on {}", hdf5_library(),
                       kind_of(machines.algebra.front().blas), library("ELPA", elpa_text),
                       library("ScaLAPACK", scalapack_text), counted(machines.hosts.size(), "rank")));
}

void say_places(Log& log, std::uint64_t memory_per_rank, std::string_view limit,
                std::span<const SurveyedModel> models, const std::string& store) {
  std::set<std::string> filesystems;
  for (const SurveyedModel& m : models)
    if (m.model)
      for (const SourceFile& file : m.model->checkpoint.files)
        filesystems.insert(file.filesystem == "local" ? "a local file system" : file.filesystem);
  log.info(
      "start",
      fmt::format("memory {} per rank, set by {}; {}store {}",
                  memory_words(static_cast<double>(memory_per_rank)), limit,
                  filesystems.empty() ? "" : fmt::format("models on {}; ", fmt::join(filesystems, " and ")),
                  store));
}

}  // namespace stemma
