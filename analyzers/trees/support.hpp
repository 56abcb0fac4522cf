// How many trees of resampled evidence hold the same groups as the tree of all of it?
#pragma once
#include <cstddef>
#include <functional>

#include "io/report/family_tree.hpp"

namespace stemma {

/// Distances of the same things from the r-th resampling, complete as neighbour_joining() wants them.
using Resampled = std::function<Distances(std::size_t r)>;

/// The bootstrap of Felsenstein (Evolution 39, 1985): fills Node::support of each inner edge with the percent
/// of `replicates` trees, joined from resampled(0), resampled(1), ..., that part the things into the same two
/// sets. Roots do not matter, and both edges at a root of two children have the support of their common
/// split. An edge that parts one leaf from all others is in every tree and has none (NaN). In a replicate, an
/// edge shorter than 1e-9 of its longest one parts nothing: which of equal copies is joined first is left to
/// their order, and would be the same in every replicate. `tree` has each of its n things at one leaf.
/// Without replicates every support is NaN. Throws std::invalid_argument when a replicate has other than n
/// things, or what neighbour_joining() throws; the supports are then as before.
void fill_support(FamilyTree& tree, std::size_t replicates, const Resampled& resampled);

}  // namespace stemma
