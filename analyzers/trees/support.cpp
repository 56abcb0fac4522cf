// Which splits of the things does a tree make, and how often are they found again?
#include "analyzers/trees/support.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <vector>

#include "analyzers/trees/neighbour_joining.hpp"

namespace stemma {
namespace {

constexpr double parts_nothing = 1e-9;  // of the longest edge

/// A bit for each thing, set on the side of the edge where thing 0 is not; empty for the split of one thing
/// from all others, and for none.
using Split = std::vector<std::uint64_t>;

std::size_t things_of(const FamilyTree& tree) {
  std::vector<bool> seen(tree.nodes.size(), false);
  std::size_t things = 0;
  for (const FamilyTree::Node& node : tree.nodes) {
    if (node.leaf == FamilyTree::none) continue;
    if (node.leaf >= seen.size() || seen[node.leaf])
      throw std::invalid_argument(fmt::format("thing {} stands at several leaves or beyond them", node.leaf));
    seen[node.leaf] = true;
    ++things;
  }
  if (std::find(seen.begin(), seen.end(), false) != seen.begin() + static_cast<std::ptrdiff_t>(things))
    throw std::invalid_argument("a thing stands at no leaf of the tree");
  return things;
}

/// Of the edge above each node.
std::vector<Split> splits_of(const FamilyTree& tree, std::size_t things) {
  const std::size_t words = (things + 63) / 64;
  std::vector<Split> splits(tree.nodes.size(), Split(words, 0));
  std::vector<std::size_t> below(tree.nodes.size(), 0);
  for (std::size_t i = tree.nodes.size(); i-- > 0;) {
    const FamilyTree::Node& node = tree.nodes[i];
    if (node.leaf != FamilyTree::none) {
      splits[i][node.leaf / 64] |= std::uint64_t{1} << (node.leaf % 64);
      ++below[i];
    }
    if (i > 0) {
      below[node.parent] += below[i];
      for (std::size_t w = 0; w < words; ++w) splits[node.parent][w] |= splits[i][w];
    }
  }
  for (std::size_t i = 0; i < splits.size(); ++i) {
    if (below[i] < 2 || below[i] + 2 > things) {
      splits[i].clear();
    } else if ((splits[i][0] & 1U) != 0) {
      for (std::uint64_t& word : splits[i]) word = ~word;
      if (things % 64 != 0) splits[i].back() &= (std::uint64_t{1} << (things % 64)) - 1;
    }
  }
  return splits;
}

}  // namespace

void fill_support(FamilyTree& tree, std::size_t replicates, const Resampled& resampled) {
  const std::size_t things = things_of(tree);
  const std::vector<Split> splits = splits_of(tree, things);
  std::map<Split, std::size_t> found;
  for (const Split& split : splits)
    if (!split.empty()) found.emplace(split, 0);

  for (std::size_t r = 0; r < replicates; ++r) {
    const Distances distances = resampled(r);
    if (distances.n != things)
      throw std::invalid_argument(
          fmt::format("replicate {} has {} things, the tree {}", r, distances.n, things));
    const FamilyTree replicate = neighbour_joining(distances);
    double longest = 0;
    for (const FamilyTree::Node& node : replicate.nodes) longest = std::max(longest, node.length);
    const std::vector<Split> again = splits_of(replicate, things);
    // No two edges of this tree make the same split: its root has three children.
    for (std::size_t i = 1; i < again.size(); ++i)
      if (const auto at = found.find(again[i]);
          at != found.end() && replicate.nodes[i].length > parts_nothing * longest)
        ++at->second;
  }
  for (std::size_t i = 0; i < splits.size(); ++i) {
    const auto at = found.find(splits[i]);
    tree.nodes[i].support = at == found.end() || replicates == 0
                                ? std::numeric_limits<double>::quiet_NaN()
                                : 100 * static_cast<double>(at->second) / static_cast<double>(replicates);
  }
}

}  // namespace stemma
