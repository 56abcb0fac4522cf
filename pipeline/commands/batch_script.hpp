// Which script submits a run to Slurm with the numbers of its plan?
#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/plan.hpp"

namespace stemma {

/// What is to be submitted.
struct BatchJob {
  std::string command;             ///< that made the script, for its head
  std::vector<std::string> words;  ///< configuration, then overrides
  std::size_t points = 0;          ///< of a sweep; 0 for a single run
  bool memory_is_set = false;      ///< Plan::memory_per_rank was asked for, not found on this machine
  std::filesystem::path scripts;   ///< directory of audit.sbatch and sweep.sbatch
};

/// Where the scripts of this installation lie: beside its tables (shipped_architectures), or where it was
/// built.
std::filesystem::path shipped_scripts();

/// A whole script for sbatch: nodes, ranks, memory and time of the plan, then audit.sbatch with the
/// configuration, or for a sweep sweep.sbatch as a job array of all points. Memory is what a rank asks for,
/// over the nine tenths that it takes of its share; time is three times the prediction and ten minutes for
/// what follows it, in steps of five minutes: a job that ends early gives its place back, and one that does
/// not is started again.
std::string batch_script(const BatchJob& job, const Plan& plan);

}  // namespace stemma
