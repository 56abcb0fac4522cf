// What does this machine offer a rank, and what should be written down about it?
#pragma once
#include <cstdint>
#include <string>

namespace stemma {

/// Bytes that one of `ranks_here` ranks on this machine may use: nine tenths of its share of what the control
/// group or the free memory allows, whichever is less.
std::uint64_t memory_budget(int ranks_here);

/// "AMD EPYC 9654 96-Core Processor", "" when the system does not say.
std::string cpu_model();

/// Random 128-bit identifier of a run, as 8-4-4-4-12 hex digits.
std::string new_uuid();

}  // namespace stemma
