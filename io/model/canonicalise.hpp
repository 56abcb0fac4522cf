// How does a checkpoint become canonical matrices with roles?
#pragma once
#include <span>

#include "io/model/architecture_table.hpp"
#include "io/model/model.hpp"

namespace stemma {

/// Chooses a table (`forced` when not null), resolves the dimensions, cuts fused tensors and names every
/// matrix. Never throws for what a checkpoint says.
Model canonical_model(Checkpoint checkpoint, std::span<const Architecture* const> tables,
                      const Architecture* forced);

}  // namespace stemma
