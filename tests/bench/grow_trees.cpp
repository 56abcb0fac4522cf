// grow_trees FILE N [ROUNDS]
//
// Joins N things by average linkage and by neighbour joining; the file holds nothing but their condensed
// distances in float64, NaN where missing. Prints JSON: merges and order of the one, Newick lines of the
// other (as joined, and hung from its midpoint; null where a distance is missing), and the least seconds of
// all rounds.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "analyzers/trees/linkage.hpp"
#include "analyzers/trees/midpoint_root.hpp"
#include "analyzers/trees/neighbour_joining.hpp"

namespace stemma {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int run(const char* file, std::size_t n, int rounds) {
  Distances distances(n);
  std::ifstream in(file, std::ios::binary);
  in.read(reinterpret_cast<char*>(distances.value.data()),
          static_cast<std::streamsize>(distances.value.size() * sizeof(double)));
  if (!in) return 1;
  const bool complete = std::ranges::none_of(distances.value, [](double d) { return std::isnan(d); });
  Dendrogram dendrogram;
  FamilyTree tree;
  double linkage_seconds = INFINITY, joining_seconds = INFINITY;
  for (int round = 0; round < rounds; ++round) {
    const double begun = now();
    dendrogram = average_linkage(distances);
    const double linked = now();
    if (complete) tree = neighbour_joining(distances);
    linkage_seconds = std::min(linkage_seconds, linked - begun);
    joining_seconds = std::min(joining_seconds, now() - linked);
  }
  std::vector<std::string> merges, names;
  for (const Dendrogram::Merge& m : dendrogram.merges)
    merges.push_back(fmt::format("[{}, {}, {}, {}]", m.left, m.right, m.height, m.size));
  for (std::size_t i = 0; i < n; ++i) names.push_back(std::to_string(i));
  const auto line = [&](const FamilyTree& grown) {
    return complete ? fmt::format("\"{}\"", newick(grown, names)) : std::string("null");
  };
  fmt::print(
      "{{\"linkage_seconds\": {}, \"joining_seconds\": {}, \"merges\": [{}], \"order\": [{}], \"joined\": "
      "{}, "
      "\"rooted\": {}}}\n",
      linkage_seconds, joining_seconds, fmt::join(merges, ", "), fmt::join(dendrogram.order, ", "),
      line(tree), line(rooted_at_midpoint(tree)));
  return 0;
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  return stemma::run(argv[1], std::strtoull(argv[2], nullptr, 10), argc > 3 ? std::atoi(argv[3]) : 1);
}
