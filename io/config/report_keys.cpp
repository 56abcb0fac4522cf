// Which keys say how verdicts and the page look?
#include "io/config/report_keys.hpp"

#include <utility>

#include "io/config/key_binding.hpp"

namespace stemma {

std::vector<Key> report_keys() {
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

  add({.path = "report", .meaning = "How results are shown.", .changes_results = false});
  add(bound({.path = "report.html",
             .type = T::boolean,
             .meaning = "Write report.html, a page that needs no network, and its tables in report_data.",
             .consumer = "report",
             .changes_results = false},
            STEMMA_MEMBER(report.html)));
  add(bound({.path = "report.title",
             .type = T::text,
             .meaning = "Heading of the page; empty: the run's name.",
             .consumer = "report",
             .changes_results = false},
            STEMMA_MEMBER(report.title)));
  add(bound({.path = "report.subtitle",
             .type = T::text,
             .meaning = "Second line of the page.",
             .consumer = "report",
             .changes_results = false},
            STEMMA_MEMBER(report.subtitle)));
  add(bound({.path = "report.labels",
             .type = T::choice,
             .meaning = "Show models by label, where they have one, or by id, in the printed table.",
             .consumer = "summary",
             .choices = {"label", "id"},
             .changes_results = false},
            STEMMA_MEMBER(report.labels)));
  return table;
}

}  // namespace stemma
