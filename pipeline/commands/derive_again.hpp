// Do the weights still give what an archive says, when everything is read and computed once more?
#pragma once
#include <optional>
#include <string>

#include "analyzers/distributed/world.hpp"
#include "pipeline/commands/command.hpp"
#include "pipeline/commands/reproduce.hpp"

namespace stemma {

/// Collective. Carries out the run that wrote the archive, from its configuration, in a directory that goes
/// away again, and holds what comes out against the archive. `archive` and `inputs` (as for Reproduction) are
/// rank 0's, and so is the result. Throws on every rank what Reproduction and audit throw.
std::optional<Reproduced> derive_again(const World& world, const std::string& archive,
                                       const std::string& inputs, const Invocation& invocation, Log& log);

}  // namespace stemma
