// What are tensors for that no table explains, as far as their names tell?
#pragma once
#include <vector>

#include "io/model/checkpoint.hpp"
#include "io/model/finding_ledger.hpp"
#include "io/model/matrix.hpp"

namespace stemma {

/// Gives the unknown matrices of a checkpoint the roles that most authors give to such names, where their
/// shapes do not contradict: q reads what the embedding writes, o writes as wide, gate and up are alike and
/// down is turned. Fused tensors become `other`, since nobody says where to cut them; two tensors that claim
/// one role have none. True, with the warning heuristic_roles, when any role was guessed. Whether a square
/// matrix is stored (out, in) cannot be known.
bool guess_roles(std::vector<Matrix>& matrices, const Checkpoint& checkpoint, FindingLedger& ledger);

}  // namespace stemma
