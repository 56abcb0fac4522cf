// What does a tree of models look like to whoever draws or writes it?
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace stemma {

/// Distances of all pairs of n things, without units, at least 0; NaN where nothing is known. Symmetric; the
/// pair (i, j), i < j, stands at i * n - i * (i + 1) / 2 + j - i - 1, as SciPy condenses them.
struct Distances {
  std::size_t n = 0;
  std::vector<double> value;  ///< n * (n - 1) / 2

  explicit Distances(std::size_t things = 0, double all = std::numeric_limits<double>::quiet_NaN())
      : n(things), value(things * (things > 0 ? things - 1 : 0) / 2, all) {}
  /// Of a pair of different things.
  static std::size_t place(std::size_t n, std::size_t i, std::size_t j) {
    if (i > j) std::swap(i, j);
    return i * n - i * (i + 1) / 2 + j - i - 1;
  }
  double operator()(std::size_t i, std::size_t j) const { return i == j ? 0 : value[place(n, i, j)]; }
  double& at(std::size_t i, std::size_t j) { return value[place(n, i, j)]; }
};

/// How things were joined, two groups at a time. Things are 0..n-1; the group that merge k makes is n + k.
struct Dendrogram {
  struct Merge {
    std::uint32_t left = 0, right = 0;
    double height = 0;
    std::uint32_t size = 0;  ///< things in the group
  };
  std::size_t n = 0;
  std::vector<Merge> merges;         ///< n - 1, by ascending height
  std::vector<std::uint32_t> order;  ///< things from left to right, so that no two branches cross
};

/// A rooted tree with lengths. Node 0 is the root; parents stand before their children.
struct FamilyTree {
  static constexpr std::uint32_t none = UINT32_MAX;
  struct Node {
    std::uint32_t parent = none;
    std::uint32_t leaf = none;                                  ///< index of the thing, none for inner nodes
    double length = 0;                                          ///< of the edge to the parent
    double support = std::numeric_limits<double>::quiet_NaN();  ///< percent, of that edge; NaN when not known
  };
  std::vector<Node> nodes;
};

/// One line of Newick without line end, for ape, ete and iTOL; ";" for a tree without nodes. names[leaf] is
/// written as cell() writes it, in quotes where that holds anything but letters, digits and "_.-"; support is
/// the name of the inner node below its edge, lengths read back to the same double. The root's own edge is
/// not written. Throws std::invalid_argument for a leaf without a name and for children before their parents.
std::string newick(const FamilyTree& tree, const std::vector<std::string>& names);

}  // namespace stemma
