// How do mean distances of groups become merges, and merges an order of leaves in which no branches cross?
#include "analyzers/trees/linkage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace stemma {
namespace {

Distances completed(Distances distances, double far) {
  if (!std::isfinite(far) || far < 0)
    throw std::invalid_argument(fmt::format("a missing distance cannot count as {}", far));
  for (double& value : distances.value) {
    if (std::isnan(value)) value = far;
    if (!std::isfinite(value) || value < 0)
      throw std::invalid_argument(fmt::format("{} is not a distance", value));
  }
  return distances;
}

/// Groups live in the slots of their things: a merge empties the lower slot and leaves the union in the
/// upper.
class Chain {
 public:
  explicit Chain(Distances distances) : distance_(std::move(distances)), size_(distance_.n, 1) {}

  /// Merges as they are found, left and right being slots.
  std::vector<Dendrogram::Merge> merges() {
    std::vector<Dendrogram::Merge> found;
    std::vector<std::size_t> chain;
    while (found.size() + 1 < distance_.n) {
      if (chain.empty())
        chain.push_back(static_cast<std::size_t>(
            std::ranges::find_if(size_, [](std::uint32_t size) { return size > 0; }) - size_.begin()));
      const std::size_t top = chain.back();
      const bool alone = chain.size() == 1;
      const std::size_t nearest = nearest_to(top, alone ? top : chain[chain.size() - 2]);
      if (alone || nearest != chain[chain.size() - 2]) {
        chain.push_back(nearest);
        continue;
      }
      chain.resize(chain.size() - 2);
      found.push_back(merge(std::min(top, nearest), std::max(top, nearest)));
    }
    return found;
  }

 private:
  /// Prefers where the chain came from, so that it cannot go round among equals.
  std::size_t nearest_to(std::size_t slot, std::size_t before) const {
    std::size_t nearest = before;
    double least = before == slot ? INFINITY : distance_(slot, before);
    for (std::size_t i = 0; i < distance_.n; ++i) {
      if (size_[i] == 0 || i == slot) continue;
      const double distance = distance_(slot, i);
      if (distance < least) {
        least = distance;
        nearest = i;
      }
    }
    return nearest;
  }

  Dendrogram::Merge merge(std::size_t low, std::size_t high) {
    const double height = distance_(low, high);
    const std::uint32_t size = size_[low] + size_[high];
    const double share = static_cast<double>(size_[high]) / size;
    size_[low] = 0;
    size_[high] = size;
    for (std::size_t i = 0; i < distance_.n; ++i) {
      if (size_[i] == 0 || i == high) continue;
      const double other = distance_(low, i);
      double& mean = distance_.at(high, i);
      // Also as rounded: equal means stay equal, and none falls below both, so no merge is lower than one
      // inside it.
      mean = other + (mean - other) * share;
    }
    return {.left = static_cast<std::uint32_t>(low),
            .right = static_cast<std::uint32_t>(high),
            .height = height,
            .size = size};
  }

  Distances distance_;
  std::vector<std::uint32_t> size_;  ///< 0 for an empty slot
};

/// By ascending height, slots replaced by numbers of groups, the smaller number left.
void number_groups(Dendrogram& dendrogram) {
  std::ranges::stable_sort(dendrogram.merges, {}, &Dendrogram::Merge::height);
  // In each slot; the lower slot of a merge is never asked again.
  std::vector<std::uint32_t> group(dendrogram.n);
  std::iota(group.begin(), group.end(), 0U);
  auto number = static_cast<std::uint32_t>(dendrogram.n);
  for (Dendrogram::Merge& merge : dendrogram.merges) {
    const std::uint32_t slot = merge.right, low = group[merge.left], high = group[merge.right];
    merge.left = std::min(low, high);
    merge.right = std::max(low, high);
    group[slot] = number++;
  }
}

/// Turns groups so that facing ends are near, and fills order.
void lay_out(Dendrogram& dendrogram, const Distances& distance) {
  const std::size_t n = dendrogram.n, groups = n + dendrogram.merges.size();
  struct Ends {
    std::uint32_t first = 0, last = 0;
  };
  std::vector<Ends> ends(groups);
  std::vector<bool> turned(groups, false);  // against how the group was laid out when it was made
  for (std::uint32_t i = 0; i < n; ++i) ends[i] = {i, i};
  for (std::size_t k = 0; k < dendrogram.merges.size(); ++k) {
    const auto [left, right, height, size] = dendrogram.merges[k];
    const Ends a = ends[left], b = ends[right];
    const std::array<double, 4> facing = {distance(a.last, b.first), distance(a.last, b.last),
                                          distance(a.first, b.first), distance(a.first, b.last)};
    const auto best = std::ranges::min_element(facing) - facing.begin();
    turned[left] = best >= 2;
    turned[right] = best % 2 == 1;
    ends[n + k] = {turned[left] ? a.last : a.first, turned[right] ? b.first : b.last};
  }
  if (groups == 0) return;
  turned[groups - 1] = ends.back().last < ends.back().first;
  // From the top: who is inside a turned group is turned once more.
  for (std::size_t k = dendrogram.merges.size(); k-- > 0;) {
    if (!turned[n + k]) continue;
    Dendrogram::Merge& merge = dendrogram.merges[k];
    turned[merge.left] = !turned[merge.left];
    turned[merge.right] = !turned[merge.right];
    std::swap(merge.left, merge.right);
  }
  std::vector<std::uint32_t> open = {static_cast<std::uint32_t>(groups - 1)};
  while (!open.empty()) {
    const std::uint32_t group = open.back();
    open.pop_back();
    if (group < n) {
      dendrogram.order.push_back(group);
    } else {
      open.push_back(dendrogram.merges[group - n].right);
      open.push_back(dendrogram.merges[group - n].left);
    }
  }
}

}  // namespace

Dendrogram average_linkage(const Distances& distances, double far) {
  const Distances complete = completed(distances, far);
  Dendrogram dendrogram;
  dendrogram.n = complete.n;
  dendrogram.merges = Chain(complete).merges();
  number_groups(dendrogram);
  lay_out(dendrogram, complete);
  return dendrogram;
}

}  // namespace stemma
