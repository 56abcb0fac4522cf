// From where is a tree without a root hung when nobody knows who came first?
#pragma once
#include "io/report/family_tree.hpp"

namespace stemma {

/// The same tree with its root in the middle of the longest path from leaf to leaf (Farris, Am. Nat. 106,
/// 1972): on a vertex where the middle is within 1e-9 of the path from it, else on a branch, both halves of
/// which have its support. Says who came first only if all lines changed equally fast. Paths between leaves
/// and the supports of branches stay what they were. Of equally long paths the one to the leaf of the
/// smallest index is taken; where all lengths are 0, or there are fewer than two leaves, the root stays.
/// Lengths are finite and at least 0. Throws std::invalid_argument for children before their parents.
FamilyTree rooted_at_midpoint(const FamilyTree& tree);

}  // namespace stemma
