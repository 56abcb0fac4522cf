// How is a tree hung from a vertex, and taken down again?
#include "analyzers/trees/branches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace stemma {

std::vector<std::vector<std::uint32_t>> Branches::at_vertices() const {
  std::vector<std::vector<std::uint32_t>> at(leaf.size());
  for (std::uint32_t i = 0; i < branches.size(); ++i) {
    at[branches[i].a].push_back(i);
    at[branches[i].b].push_back(i);
  }
  return at;
}

FamilyTree hung_from(const Branches& tree, std::uint32_t root) {
  const auto at = tree.at_vertices();
  // Vertices from the root down, each with the branch that leads to it.
  struct Step {
    std::uint32_t vertex = 0, branch = FamilyTree::none, parent = FamilyTree::none;
  };
  std::vector<Step> steps = {{.vertex = root}};
  std::vector<std::vector<Step>> children(tree.leaf.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Step step = steps[i];
    for (const std::uint32_t branch : at[step.vertex]) {
      if (branch == step.branch) continue;
      const Branches::Branch& b = tree.branches[branch];
      steps.push_back({b.a == step.vertex ? b.b : b.a, branch, step.vertex});
      children[step.vertex].push_back(steps.back());
    }
  }
  std::vector<std::uint32_t> smallest = tree.leaf;  // thing at or below each vertex
  for (std::size_t i = steps.size(); i-- > 1;)
    smallest[steps[i].parent] = std::min(smallest[steps[i].parent], smallest[steps[i].vertex]);
  for (auto& family : children)
    std::ranges::sort(family, std::ranges::greater{}, [&](const Step& s) { return smallest[s.vertex]; });

  FamilyTree hung;
  std::vector<std::uint32_t> node(tree.leaf.size(), FamilyTree::none);
  for (std::vector<Step> open = {{.vertex = root}}; !open.empty();) {
    const Step step = open.back();
    open.pop_back();
    node[step.vertex] = static_cast<std::uint32_t>(hung.nodes.size());
    FamilyTree::Node& made = hung.nodes.emplace_back();
    made.leaf = tree.leaf[step.vertex];
    if (step.branch != FamilyTree::none) {
      made.parent = node[step.parent];
      made.length = tree.branches[step.branch].length;
      made.support = tree.branches[step.branch].support;
    }
    open.insert(open.end(), children[step.vertex].begin(), children[step.vertex].end());
  }
  return hung;
}

Branches without_root(const FamilyTree& tree) {
  Branches out;
  std::vector<std::uint32_t> below_root;
  for (std::uint32_t i = 0; i < tree.nodes.size(); ++i) {
    const FamilyTree::Node& node = tree.nodes[i];
    out.add(node.leaf);
    if (i == 0) continue;
    if (node.parent >= i)
      throw std::invalid_argument(fmt::format("node {} of a tree stands before its parent", i));
    if (node.parent == 0) below_root.push_back(static_cast<std::uint32_t>(out.branches.size()));
    out.branches.push_back({node.parent, i, node.length, node.support});
  }
  if (below_root.size() != 2 || tree.nodes[0].leaf != FamilyTree::none) return out;
  // Both halves of a branch part the things alike and have one support.
  Branches::Branch& kept = out.branches[below_root[0]];
  const Branches::Branch gone = out.branches[below_root[1]];
  kept = {kept.b, gone.b, kept.length + gone.length, kept.support};
  out.branches.erase(out.branches.begin() + below_root[1]);
  return out;
}

}  // namespace stemma
