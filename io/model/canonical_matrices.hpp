// Which canonical matrices lie in the stored tensors of a checkpoint?
#pragma once
#include <vector>

#include "io/model/architecture_shapes.hpp"

namespace stemma {

/// One or more matrices for every tensor that is not a buffer, in the order of Model::matrices. Part::unknown
/// and a finding for a tensor that cannot be cut, whose shape or layout cannot be that of its role, whose
/// role another tensor has too, and for a bias that is not as long as its weight has rows.
std::vector<Matrix> canonical_matrices(const Explanation& explanation, const Checkpoint& checkpoint,
                                       const ResolvedDims& dims, FindingLedger& ledger);

}  // namespace stemma
