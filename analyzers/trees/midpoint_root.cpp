// Where is the middle of the longest path?
#include "analyzers/trees/midpoint_root.hpp"

#include <algorithm>
#include <cmath>

#include "analyzers/trees/branches.hpp"

namespace stemma {
namespace {

constexpr double on_a_vertex = 1e-9;  // of the longest path; lengths come from sums of many distances

/// Every vertex as seen from one.
struct View {
  std::vector<double> away;
  std::vector<std::uint32_t> branch;          ///< that leads back
  std::uint32_t farthest = FamilyTree::none;  ///< leaf; the smallest thing of those equally far
};

View seen_from(const Branches& tree, const std::vector<std::vector<std::uint32_t>>& at, std::uint32_t start) {
  View view;
  view.away.assign(tree.leaf.size(), 0);
  view.branch.assign(tree.leaf.size(), FamilyTree::none);
  std::vector<std::uint32_t> open = {start};
  while (!open.empty()) {
    const std::uint32_t vertex = open.back();
    open.pop_back();
    if (tree.leaf[vertex] != FamilyTree::none && vertex != start) {
      const std::uint32_t rival = view.farthest;
      if (rival == FamilyTree::none || view.away[vertex] > view.away[rival] ||
          (view.away[vertex] == view.away[rival] && tree.leaf[vertex] < tree.leaf[rival]))
        view.farthest = vertex;
    }
    for (const std::uint32_t branch : at[vertex]) {
      if (branch == view.branch[vertex]) continue;
      const Branches::Branch& b = tree.branches[branch];
      const std::uint32_t next = b.a == vertex ? b.b : b.a;
      view.away[next] = view.away[vertex] + b.length;
      view.branch[next] = branch;
      open.push_back(next);
    }
  }
  return view;
}

}  // namespace

FamilyTree rooted_at_midpoint(const FamilyTree& tree) {
  Branches branches = without_root(tree);
  const auto at = branches.at_vertices();
  if (branches.leaf.empty()) return tree;
  // With lengths of at least 0, the leaf farthest from any leaf is an end of a longest path.
  const auto start =
      static_cast<std::uint32_t>(std::ranges::min_element(branches.leaf) - branches.leaf.begin());
  const std::uint32_t end = seen_from(branches, at, start).farthest;
  if (end == FamilyTree::none) return tree;
  const View view = seen_from(branches, at, end);
  const double longest = view.away[view.farthest], middle = longest / 2;
  if (!(longest > 0)) return tree;

  // Back from the far end, to the first vertex that is not beyond the middle.
  const auto before = [&](std::uint32_t vertex) {
    const Branches::Branch& b = branches.branches[view.branch[vertex]];
    return b.a == vertex ? b.b : b.a;
  };
  std::uint32_t beyond = view.farthest, near = before(beyond);
  while (view.away[near] > middle) {
    beyond = near;
    near = before(beyond);
  }
  for (const std::uint32_t vertex : {near, beyond})
    if (std::abs(view.away[vertex] - middle) <= on_a_vertex * longest) return hung_from(branches, vertex);
  const std::uint32_t root = branches.add();
  Branches::Branch& split = branches.branches[view.branch[beyond]];
  const Branches::Branch far_half = {root, beyond, view.away[beyond] - middle, split.support};
  split = {root, near, middle - view.away[near], split.support};
  branches.branches.push_back(far_half);
  return hung_from(branches, root);
}

}  // namespace stemma
