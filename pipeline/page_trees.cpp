// How do pairs become trees, and at which distances does something change?
#include <algorithm>
#include <cmath>
#include <random>

#include "analyzers/trees/linkage.hpp"
#include "analyzers/trees/midpoint_root.hpp"
#include "analyzers/trees/neighbour_joining.hpp"
#include "analyzers/trees/support.hpp"
#include "io/report/page/sections.hpp"
#include "pipeline/page_parts.hpp"

namespace stemma {
namespace {

/// Beyond so many models the trees of resamplings take longer than a reader waits.
constexpr std::size_t most_resampled = 250;

bool is_copy(Relation relation) { return relation <= Relation::reparametrised_copy; }

/// Models with a distance to any other.
std::vector<std::uint32_t> connected_part(const Distances& distances) {
  std::vector<std::uint32_t> kept;
  for (std::uint32_t i = 0; i < distances.n; ++i)
    for (std::uint32_t j = 0; j < distances.n; ++j)
      if (i != j && !std::isnan(distances(i, j))) {
        kept.push_back(i);
        break;
      }
  return kept;
}

/// What is not known stands as far apart as strangers.
Distances among(const std::vector<std::uint32_t>& models, const Distances& distances) {
  Distances part(models.size());
  for (std::size_t i = 0; i < models.size(); ++i)
    for (std::size_t j = i + 1; j < models.size(); ++j) {
      const double distance = distances(models[i], models[j]);
      part.at(i, j) = std::isnan(distance) ? 1 : distance;
    }
  return part;
}

double median(std::vector<float> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

/// Distances from MLPs drawn with replacement, the same relative depths in every pair.
Distances resampled(const PageContent& content, const std::vector<std::vector<float>>& shares, Distances all,
                    std::size_t draw) {
  std::mt19937_64 random(0x57454d4dU + draw);
  std::vector<double> depths(64);
  for (double& depth : depths) depth = static_cast<double>(random() >> 11) * 0x1p-53;
  for (std::size_t i = 0; i < content.pairs.size(); ++i) {
    const PagePair& pair = content.pairs[i];
    const std::vector<float>& of_pair = shares[i];
    if (of_pair.empty() || is_copy(pair.relation)) continue;
    std::vector<float> drawn(of_pair.size());
    for (std::size_t k = 0; k < drawn.size(); ++k) {
      // The first of n places takes the first depths, so that pairs of equal depth draw alike.
      const double depth = depths[k % depths.size()];
      drawn[k] = of_pair[static_cast<std::size_t>(depth * static_cast<double>(of_pair.size()))];
    }
    all.at(pair.a, pair.b) = 1 - median(std::move(drawn));
  }
  return all;
}

/// A dendrogram as a tree: leaves lie as far below a merge as its height says, half of it on each side.
FamilyTree tree_of(const Dendrogram& dendrogram) {
  FamilyTree tree;
  const auto height = [&](std::uint32_t group) {
    return group < dendrogram.n ? 0 : dendrogram.merges[group - dendrogram.n].height / 2;
  };
  struct Wanted {
    std::uint32_t group, parent;
    double length;
  };
  const auto root = static_cast<std::uint32_t>(dendrogram.n + dendrogram.merges.size() - 1);
  std::vector<Wanted> open = {{root, FamilyTree::none, 0}};
  while (!open.empty()) {
    const Wanted next = open.back();
    open.pop_back();
    const auto node = static_cast<std::uint32_t>(tree.nodes.size());
    const bool leaf = next.group < dendrogram.n;
    tree.nodes.push_back(
        {.parent = next.parent, .leaf = leaf ? next.group : FamilyTree::none, .length = next.length});
    if (leaf) continue;
    const Dendrogram::Merge& merge = dendrogram.merges[next.group - dendrogram.n];
    for (const std::uint32_t child : {merge.right, merge.left})
      open.push_back({child, node, height(next.group) - height(child)});
  }
  return tree;
}

/// Whether every distance can be drawn anew: of others all resamplings would say the same.
bool all_resampled(const PageContent& content, const std::vector<std::vector<float>>& shares) {
  for (std::size_t i = 0; i < content.pairs.size(); ++i) {
    const PagePair& pair = content.pairs[i];
    // Where nothing agrees no block has a partner, and none is drawn.
    if (std::isfinite(pair.share) && pair.share > 0 && !is_copy(pair.relation) && shares[i].empty())
      return false;
  }
  return true;
}

}  // namespace

Distances neuron_distances(const PageContent& content) {
  Distances distances(content.models.size());
  for (const PagePair& pair : content.pairs)
    distances.at(pair.a, pair.b) = is_copy(pair.relation) ? 0 : 1 - pair.share;
  return distances;
}

DistanceLimits distance_limits(const std::vector<PagePair>& pairs, double share) {
  DistanceLimits limits{.threshold = 1 - share};
  for (const PagePair& pair : pairs) {
    const double distance = 1 - pair.share;
    if (!std::isfinite(distance)) continue;
    if (pair.relation == Relation::no_evidence) limits.background = std::fmin(limits.background, distance);
    if (pair.relation == Relation::reencoded_copy) limits.detection = std::fmax(limits.detection, distance);
  }
  if (std::isnan(limits.detection)) limits.detection = limits.background;
  return limits;
}

void add_trees(PageContent& content, const std::vector<std::vector<float>>& shares,
               const TreeWishes& wishes) {
  content.tree_wanted = wishes.method != TreeMethod::none;
  content.tree_by_joining = wishes.method != TreeMethod::average;
  if (content.models.size() > most_compared) return;
  const Distances distances = neuron_distances(content);
  content.dendrogram = average_linkage(distances);
  const std::vector<std::uint32_t> kept = connected_part(distances);
  content.left_out_of_tree = distances.n - kept.size();
  if (kept.size() < 2 || wishes.method == TreeMethod::none) return;
  FamilyTree tree;
  if (wishes.method == TreeMethod::average) {
    tree = tree_of(average_linkage(among(kept, distances)));
  } else {
    tree = rooted_at_midpoint(neighbour_joining(among(kept, distances)));
    content.tree_has_support = wishes.resamplings > 0 && kept.size() <= most_resampled &&
                               shares.size() == content.pairs.size() && all_resampled(content, shares);
    if (content.tree_has_support)
      fill_support(tree, wishes.resamplings, [&](std::size_t draw) {
        return among(kept, resampled(content, shares, distances, draw));
      });
  }
  for (FamilyTree::Node& node : tree.nodes)
    if (node.leaf != FamilyTree::none) node.leaf = kept[node.leaf];
  content.tree = std::move(tree);
}

}  // namespace stemma
