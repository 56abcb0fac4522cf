// How fast are the ranks of this job, all of them at work at the same time?
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analyzers/distributed/communicator.hpp"
#include "io/model/tensor.hpp"
#include "pipeline/cost_model.hpp"

namespace stemma {

/// bf16 numbers of both signs between 2^-9 and 2^-5, as weights are; the same for the same number of
/// elements.
std::vector<std::byte> made_up_weights(std::uint64_t elements);

/// Rates of this rank, by the code that does the work, on weights that it makes up: Gram matrix (k = 1024),
/// eigenvalues (k = 64 to 2048, and the solver for larger ones at 2048), hash and histogram, the loops of
/// circuits and witness. What is not measured keeps the value of the reference: reading, teams, t0. Takes
/// about 2 seconds on a fast core, 5 on a slow one.
CostModel measure_rates();

/// Bytes per second of one rank that reads its part of the first 256 MiB of `file`, while ranks
/// [0, ranks) read theirs; nothing when its part has less than 1 MiB, or cannot be read. Bytes that the page
/// cache holds come from there: of files that were read before this is the speed of memory.
std::optional<double> measure_reading(const SourceFile& file, int rank, int ranks);

/// The model that stands for many ranks: the median of each rate.
CostModel median_of(std::span<const CostModel> models);

/// Collective. All ranks measure at the same time, so that they share caches and memory as they will in the
/// run; rank 0 gets the medians and passes `file`, a large one of the run, or nullptr: then the reading rate
/// is the reference's. The other ranks pass nullptr and get their own rates. Throws on all ranks when one
/// lacks memory.
CostModel calibrate(const Communicator& ranks, const SourceFile* file);

}  // namespace stemma
