// Is everything there that the family's table expects?
#pragma once
#include "io/model/architecture_dims.hpp"

namespace stemma {

/// Notes missing tensors and biases, layers that are missing between others, experts that are missing beside
/// others, and layers that mix alternative layouts.
void check_completeness(const Explanation& explanation, const Dims& dims, FindingLedger& ledger);

}  // namespace stemma
