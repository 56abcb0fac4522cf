// Which keys say what evidence has to come to before it makes a verdict?
#include "io/config/verdict_keys.hpp"

#include <utility>

#include "io/config/key_binding.hpp"

namespace stemma {

std::vector<Key> verdict_keys() {
  using T = KeyType;
  std::vector<Key> table;
  const auto add = [&](Key key) { table.push_back(std::move(key)); };

  add({.path = "verdicts", .meaning = "What the evidence is held against."});
  add(bound({.path = "verdicts.declared",
             .type = T::choice,
             .meaning = "Whether declared parents are checked against the evidence.",
             .consumer = "verdicts",
             .choices = {"check", "ignore"}},
            STEMMA_MEMBER(verdicts.declared)));
  add(bound(
      {.path = "verdicts.fdr",
       .type = T::real,
       .meaning =
           "Level of false discoveries over all tested pairs (Benjamini and Yekutieli), and of errors over "
           "all pairs whose weights were read.",
       .consumer = "verdicts",
       .lowest_real = 1e-12,
       .highest_real = 0.2},
      STEMMA_MEMBER(verdicts.fdr)));
  add(bound({.path = "verdicts.min_share",
             .type = T::real,
             .meaning = "An MLP agrees where this share of its neurons does.",
             .consumer = "verdicts"},
            STEMMA_MEMBER(verdicts.min_share)));
  add(bound(
      {.path = "verdicts.min_layers_share",
       .type = T::real,
       .meaning =
           "SAME_LINEAGE wants this share of the MLPs to agree; with fewer it is PARTIAL_LINEAGE, and two "
           "matchings of all neurons of the weights say nothing.",
       .consumer = "verdicts"},
      STEMMA_MEMBER(verdicts.min_layers_share)));
  add(bound(
      {.path = "verdicts.tree",
       .type = T::choice,
       .meaning = "Family tree of the page: neighbour joining, the dendrogram beside the heatmap, or none.",
       .consumer = "report",
       .choices = {"neighbour_joining", "average", "none"},
       .changes_results = false},
      STEMMA_MEMBER(verdicts.tree)));
  add(bound({.path = "verdicts.tree_support",
             .type = T::integer,
             .meaning =
                 "Resamplings over layers that say how firm each branch of neighbour joining is; 0 for none.",
             .consumer = "report",
             .lowest = 0,
             .highest = 10'000,
             .changes_results = false},
            STEMMA_MEMBER(verdicts.tree_support)));
  return table;
}

}  // namespace stemma
