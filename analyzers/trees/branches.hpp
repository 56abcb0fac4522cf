// How is a tree held while nobody has said where its root is?
#pragma once
#include <cstdint>
#include <limits>
#include <vector>

#include "io/report/family_tree.hpp"

namespace stemma {

/// A tree without a root: vertices, some of which are things, and the branches between them.
struct Branches {
  struct Branch {
    std::uint32_t a = 0, b = 0;
    double length = 0;
    double support = std::numeric_limits<double>::quiet_NaN();
  };
  std::vector<std::uint32_t> leaf;  ///< of each vertex: index of its thing, FamilyTree::none for inner ones
  std::vector<Branch> branches;

  std::uint32_t add(std::uint32_t thing = FamilyTree::none) {
    leaf.push_back(thing);
    return static_cast<std::uint32_t>(leaf.size() - 1);
  }
  /// Numbers of the branches at each vertex.
  std::vector<std::vector<std::uint32_t>> at_vertices() const;
};

/// The same tree hung from a vertex, nodes depth first, children by the smallest thing below them.
FamilyTree hung_from(const Branches& tree, std::uint32_t root);

/// The same tree without its root: one that only joins two branches becomes a point on one branch. Vertices
/// are the nodes. Throws std::invalid_argument for children before their parents.
Branches without_root(const FamilyTree& tree);

}  // namespace stemma
