// How does a tree become one line that phylogenetic programs read?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string_view>

#include "io/report/family_tree.hpp"
#include "io/report/tsv.hpp"

namespace stemma {
namespace {

/// Quoted unless every program reads it as one word. A quote inside is doubled.
std::string label(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  std::string shown = cell(name);
  if (!shown.empty() && std::ranges::all_of(shown, plain)) return shown;
  std::string quoted = "'";
  for (const char c : shown) {
    if (c == '\'') quoted += '\'';
    quoted += c;
  }
  return quoted + "'";
}

}  // namespace

std::string newick(const FamilyTree& tree, const std::vector<std::string>& names) {
  const auto& nodes = tree.nodes;
  if (nodes.empty()) return ";";
  std::vector<std::vector<std::uint32_t>> children(nodes.size());
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    if (nodes[i].parent >= i)
      throw std::invalid_argument(fmt::format("node {} of a tree stands before its parent", i));
    children[nodes[i].parent].push_back(static_cast<std::uint32_t>(i));
  }
  // Not by recursion: a chain of thousands of nodes is a tree too.
  std::string text;
  std::vector<std::size_t> next(nodes.size(), 0);
  for (std::uint32_t at = 0;;) {
    const FamilyTree::Node& node = nodes[at];
    if (next[at] < children[at].size()) {
      text += next[at] == 0 ? '(' : ',';
      at = children[at][next[at]++];
      continue;
    }
    if (!children[at].empty()) text += ')';
    if (node.leaf != FamilyTree::none) {
      if (node.leaf >= names.size())
        throw std::invalid_argument(fmt::format("leaf {} of a tree has no name", node.leaf));
      text += label(names[node.leaf]);
    } else if (at != 0) {
      text += cell(node.support);
    }
    if (at == 0) return text + ";";
    text += fmt::format(":{}", node.length);
    at = node.parent;
  }
}

}  // namespace stemma
