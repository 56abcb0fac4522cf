// What does one rank see of its machine?
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/linear_algebra.hpp"

namespace stemma {

/// Facts, and no judgement of them.
struct RankFacts {
  std::string host, cpu_model, simd;
  std::vector<int> cores;                      ///< numbers of those that this process may run on
  std::optional<std::string> omp_num_threads;  ///< as the environment has it
  std::uint64_t memory = 0;                    ///< bytes that this rank may use: memory_budget
  std::string memory_limit;                    ///< what sets it: "free memory", "control group", ...
  std::string no_blas_memory;                  ///< why BLAS was not touched; then `algebra` is empty
  LinearAlgebra algebra;
  std::optional<std::uint64_t> shared_memory;  ///< free bytes of /dev/shm
  std::string session;                         ///< where MPI keeps its files; "" when it was not started
  std::optional<std::uint64_t> session_space;  ///< free bytes there
  bool sees_place = false;                     ///< the directory in question is there
};

/// Facts of this process, one of `ranks_here` on this machine and started by MPI or not. Runs the self-test
/// of linear algebra unless BLAS would wait for memory for ever.
RankFacts examine_rank(int ranks_here, bool launched, const std::filesystem::path& place);

/// For a message between ranks.
std::string encode(const RankFacts& facts);
/// Throws for anything that encode() did not make.
RankFacts decode_rank_facts(const std::string& text);

}  // namespace stemma
