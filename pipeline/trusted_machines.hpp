// On which machines does this job run, and may their linear algebra be trusted?
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "analyzers/distributed/communicator.hpp"
#include "pipeline/linear_algebra.hpp"

namespace stemma {

/// What every rank says of its machine, in order of rank, on rank 0.
struct Machines {
  std::vector<std::string> hosts, cpu_models;
  std::vector<LinearAlgebra> algebra;
};

/// Collective. Every rank takes the memory of its BLAS and proves its linear algebra; rank 0 gets what all
/// say of themselves. Throws on every rank: WrongLinearAlgebra or FailedElsewhere with its sentence,
/// ConfigProblems.
Machines trusted_machines(const Communicator& ranks);

/// Largest number of ranks that share one machine.
int ranks_per_host(const std::vector<std::string>& hosts);

/// Where files may lie for a while that all ranks have to see: a temporary directory belongs to one node, the
/// current one to all.
std::filesystem::path scratch_for(const std::vector<std::string>& hosts);

}  // namespace stemma
