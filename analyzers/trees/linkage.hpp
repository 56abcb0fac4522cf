// In which order do groups of things join when the distance of two groups is their mean distance?
#pragma once
#include "io/report/family_tree.hpp"

namespace stemma {

/// Average linkage, UPGMA (Sneath and Sokal: Numerical Taxonomy, 1973): the two groups with the smallest mean
/// distance join first. Found along chains of nearest neighbours (Muellner: Modern hierarchical,
/// agglomerative clustering algorithms, arXiv:1109.2378, 2011) in O(n^2) time and one copy of the distances.
/// A missing distance counts as `far`.
///
/// The n - 1 merges and their heights are those of scipy.cluster.hierarchy.linkage(method="average"); no
/// merge is lower than one inside it. Of equally near neighbours the chain takes the one it came from, else
/// the first by index. `order`: when two groups join, each keeps its inner order up to a mirror image, and of
/// the four ways to set them side by side the one is taken whose facing ends are nearest (the first of
/// equals: none turned, the right one, the left one, both); at last the whole begins with the smaller of its
/// two ends. left and right of every merge stand so in that order. Throws std::invalid_argument for a
/// distance that is infinite or below 0, and for such a `far`.
Dendrogram average_linkage(const Distances& distances, double far = 1);

}  // namespace stemma
