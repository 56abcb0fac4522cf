// What does this machine offer a rank, and what should be written down about it?
#pragma once
#include <cstdint>
#include <string>

namespace stemma {

/// Bytes that one of `ranks_here` ranks on this machine may use: nine tenths of its share of what the control
/// group or the free memory allows, whichever is less, and no more than this process's limit of address
/// space.
std::uint64_t memory_budget(int ranks_here);

/// What sets that number: "free memory", "control group" or "limit of address space".
std::string memory_limit(int ranks_here);

/// Most bytes of memory that this process has held so far; 0 where the system does not say.
std::uint64_t peak_memory();

/// Lets BLAS take its memory on this rank. Throws ConfigProblems with rank, host, limit and what to do when
/// the machine does not give it: BLAS itself would ask for ever.
void require_blas_memory(int rank);

/// "AMD EPYC 9654 96-Core Processor", "" when the system does not say.
std::string cpu_model();

/// Random 128-bit identifier of a run, as 8-4-4-4-12 hex digits.
std::string new_uuid();

}  // namespace stemma
