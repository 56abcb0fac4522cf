// Which canonical matrices lie in the stored tensors of a checkpoint?
#pragma once
#include <vector>

#include "io/model/architecture_dims.hpp"

namespace stemma {

/// One or more matrices for every tensor that is not a buffer, in the order of Model::matrices. A tensor that
/// cannot be cut, or whose role another tensor has too, gets Part::unknown and a finding.
std::vector<Matrix> canonical_matrices(const Explanation& explanation, const Checkpoint& checkpoint,
                                       const Dims& dims, FindingLedger& ledger);

}  // namespace stemma
