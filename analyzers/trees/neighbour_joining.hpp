// Which tree without a clock has leaves about as far from each other as things are?
#pragma once
#include "io/report/family_tree.hpp"

namespace stemma {

/// Neighbour joining (Saitou and Nei, Mol. Biol. Evol. 4, 1987) in the form of Studier and Keppler (Mol.
/// Biol. Evol. 5, 1988): of m groups those two join whose (m - 2) d(i, j) - r(i) - r(j) is smallest, r being
/// sums of distances. Distances that are paths in a tree give that tree. Rows that cannot hold the smallest
/// value are passed over, so most of the O(n^3) is not done; one copy of the distances is held.
///
/// A branch below 0 is set to 0 and its sibling takes the difference, so that the two stay as far apart (with
/// three groups left both siblings take it); no branch is below 0. Of equal pairs the one that holds the
/// smallest things is joined; of four groups, where two pairs always score the same, the one with thing 0.
///
/// The tree means nothing by its root, which is where the last three groups meet (the middle of the only
/// branch for n = 2, the leaf for n = 1; no node for n = 0); children stand by the smallest thing below them.
/// Throws std::invalid_argument for a distance that is missing, infinite or below 0.
FamilyTree neighbour_joining(const Distances& distances);

}  // namespace stemma
