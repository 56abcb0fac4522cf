// How soon are things joined into trees, beside looking at every pair every time?
//   bench_trees [things = 1000]
//
// Distances of a random tree with a tenth of noise, as of models of some families; and independent ones,
// which bounds help least. Prints JSON: seconds of average linkage and of neighbour joining, both over one
// reading of all distances in order, and those of the joining formula without bounds over those with them.
// Fails where the formula without bounds gives another length of the whole tree.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <random>

#include "analyzers/trees/linkage.hpp"
#include "analyzers/trees/neighbour_joining.hpp"

namespace stemma {
namespace {

using Random = std::mt19937_64;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Each new thing descends from an earlier one.
Distances of_families(std::size_t n, Random& random) {
  std::uniform_real_distribution<double> uniform(0, 1);
  Distances out(n, 0);
  for (std::size_t i = 1; i < n; ++i) {
    const std::size_t parent = random() % i;
    const double length = uniform(random);
    for (std::size_t k = 0; k < i; ++k) out.at(k, i) = out(k, parent) + length;
  }
  for (double& d : out.value) d *= 1 + uniform(random) / 10;
  return out;
}

Distances independent(std::size_t n, Random& random) {
  std::uniform_real_distribution<double> uniform(0, 1);
  Distances out(n, 0);
  for (double& d : out.value) d = uniform(random);
  return out;
}

/// Length of the tree, from the formula as it is printed.
double joined_without_bounds(Distances d) {
  std::vector<std::size_t> left(d.n);
  std::iota(left.begin(), left.end(), 0U);
  std::vector<double> sum(d.n, 0);
  double total = 0;
  while (left.size() > 2) {
    const double m = static_cast<double>(left.size());
    for (const std::size_t i : left) {
      sum[i] = 0;
      for (const std::size_t j : left) sum[i] += d(i, j);
    }
    std::size_t a = 0, b = 1;
    double best = INFINITY;
    for (std::size_t i = 0; i < left.size(); ++i)
      for (std::size_t j = i + 1; j < left.size(); ++j) {
        const double score = (m - 2) * d(left[i], left[j]) - sum[left[i]] - sum[left[j]];
        if (score < best) {
          best = score;
          a = i;
          b = j;
        }
      }
    if (left.size() == 4 && a != 0) {  // of four groups two pairs score the same: take the one with thing 0
      b = 6 - a - b;
      a = 0;
    }
    const std::size_t i = left[a], j = left[b];
    const double apart = d(i, j);
    if (left.size() == 3) {  // one star
      const std::size_t k = left[3 - a - b];
      const double x = (apart + d(i, k) - d(j, k)) / 2, y = (apart + d(j, k) - d(i, k)) / 2,
                   z = (d(i, k) + d(j, k) - apart) / 2;
      const double low = std::min(x, 0.0) + std::min(y, 0.0) + std::min(z, 0.0);
      for (const double length : {x, y, z}) total += std::max(0.0, length + low - std::min(length, 0.0));
      return total;
    }
    total += std::max(0.0, apart);
    for (const std::size_t k : left)
      if (k != i && k != j) d.at(i, k) = (d(i, k) + d(j, k) - apart) / 2;
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(b));
  }
  return total + (left.size() == 2 ? d(left[0], left[1]) : 0);
}

double read_once(const Distances& d) {
  double sum = 0;
  for (const double value : d.value) sum += value;
  return sum;
}

bool measured(const char* kind, const Distances& distances, bool last) {
  double mean = 0, reading = INFINITY;
  for (int round = 0; round < 5; ++round) {  // the first one may be the first to see the memory
    const double begun = now();
    mean = read_once(distances) / static_cast<double>(distances.value.size());
    reading = std::min(reading, now() - begun);
  }
  const double read = now();
  const Dendrogram dendrogram = average_linkage(distances, 1);
  const double linked = now();
  const FamilyTree tree = neighbour_joining(distances);
  const double joined = now();
  const double plain_length = joined_without_bounds(distances);
  const double end = now();
  double length = 0;
  for (const FamilyTree::Node& node : tree.nodes) length += node.length;
  const bool same = std::abs(length - plain_length) <= 1e-9 * plain_length &&
                    dendrogram.merges.size() + 1 == distances.n && mean > 0;
  fmt::print(
      " {{\"kind\": \"{}\", \"linkage_seconds\": {:.4f}, \"joining_seconds\": {:.4f}, "
      "\"linkage_over_reading\": {:.1f}, \"joining_over_reading\": {:.1f}, \"without_bounds_over_joining\": "
      "{:.2f}, "
      "\"same_length\": {}}}{}\n",
      kind, linked - read, joined - linked, (linked - read) / reading, (joined - linked) / reading,
      (end - joined) / (joined - linked), same, last ? "" : ",");
  return same;
}

int run(std::size_t n) {
  Random random(11);
  fmt::print("{{\"program\": \"bench_trees\", \"things\": {}, \"cases\": [\n", n);
  const bool families = measured("families", of_families(n, random), false);
  const bool others = measured("independent", independent(n, random), true);
  fmt::print("]}}\n");
  return families && others ? 0 : 1;
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) { return stemma::run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1000); }
