// Which random trees do tests grow, and how far apart are the leaves of a tree?
#pragma once
#include <cmath>
#include <map>
#include <random>
#include <vector>

#include "io/report/family_tree.hpp"

namespace stemma::test {

/// A tree without a root whose n >= 3 leaves branch off random edges: node 0 is an inner node of three
/// children. Lengths in [0.1, 1.1).
inline FamilyTree random_tree(std::size_t n, std::mt19937_64& random) {
  std::uniform_real_distribution<double> length(0.1, 1.1);
  struct Vertex {
    std::size_t parent = 0;
    double length = 0;
    std::uint32_t leaf = FamilyTree::none;
  };
  std::vector<Vertex> grown(1);
  for (std::uint32_t leaf = 0; leaf < 3; ++leaf) grown.push_back({0, length(random), leaf});
  for (auto leaf = 3U; leaf < n; ++leaf) {
    const std::size_t at = 1 + random() % (grown.size() - 1), fork = grown.size();
    grown.push_back({grown[at].parent, length(random), FamilyTree::none});
    grown[at].parent = fork;
    grown.push_back({fork, length(random), leaf});
  }
  // Parents before children: from the top down.
  FamilyTree tree;
  std::vector<std::size_t> vertices = {0};
  tree.nodes.emplace_back();
  for (std::size_t i = 0; i < vertices.size(); ++i)
    for (std::size_t v = 1; v < grown.size(); ++v)
      if (grown[v].parent == vertices[i]) {
        vertices.push_back(v);
        tree.nodes.push_back({.parent = static_cast<std::uint32_t>(i),
                              .leaf = grown[v].leaf,
                              .length = grown[v].length,
                              .support = std::nan("")});
      }
  return tree;
}

/// Lengths of the paths between the n leaves, each walked up from both ends.
inline Distances path_lengths(const FamilyTree& tree, std::size_t n) {
  std::vector<std::uint32_t> node_of(n, FamilyTree::none);
  for (std::uint32_t i = 0; i < tree.nodes.size(); ++i)
    if (tree.nodes[i].leaf != FamilyTree::none) node_of.at(tree.nodes[i].leaf) = i;
  Distances out(n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = i + 1; j < n; ++j) {
      std::uint32_t a = node_of[i], b = node_of[j];
      double length = 0;
      while (a != b) {
        std::uint32_t& lower = a > b ? a : b;  // children stand behind their parents
        length += tree.nodes[lower].length;
        lower = tree.nodes[lower].parent;
      }
      out.at(i, j) = length;
    }
  return out;
}

}  // namespace stemma::test
