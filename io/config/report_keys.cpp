// Which keys say how the page looks?
#include "io/config/report_keys.hpp"

#include <utility>

#include "io/config/key_binding.hpp"

namespace stemma {

std::vector<Key> report_keys() {
  using T = KeyType;
  std::vector<Key> table;
  const auto add = [&](Key key) { table.push_back(std::move(key)); };

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
  add(bound({.path = "report.max_size",
             .type = T::size,
             .meaning = "The page leaves out details, and says which, until it is no larger. Its tables hold "
                        "everything.",
             .consumer = "report",
             .lowest = 1'000'000,
             .highest = 200'000'000,
             .changes_results = false},
            STEMMA_MEMBER(report.max_size)));
  add(bound(
      {.path = "report.pairs",
       .type = T::choice,
       .meaning = "Rows of pairs.tsv and evidence.tsv: all pairs; only those that are declared, related "
                  "or were read again.",
       .consumer = "tables",
       .choices = {"candidates", "all"},
       .changes_results = false},
      STEMMA_MEMBER(report.pairs)));
  add(bound(
      {.path = "report.features",
       .type = T::choice,
       .meaning = "Write the rows of features.tsv; auto: where there are at most 2,000,000. The archive "
                  "holds them in any case.",
       .consumer = "tables",
       .choices = {"auto", "yes", "no"},
       .changes_results = false},
      STEMMA_MEMBER(report.features)));
  add(bound(
      {.path = "report.redact_paths",
       .type = T::boolean,
       .meaning = "Shorten absolute paths to their last two parts, and leave out users and machines, in "
                  "page, tables, verdicts.json and manifest.json. The archive, the configuration and "
                  "the log beside them keep what a later run needs: do not hand those over.",
       .consumer = "report, tables, manifest",
       .changes_results = false},
      STEMMA_MEMBER(report.redact_paths)));
  add(bound({.path = "report.multiqc",
             .type = T::boolean,
             .meaning = "Write stemma_mqc.json too: the heatmap, for pages that MultiQC makes.",
             .consumer = "report",
             .changes_results = false},
            STEMMA_MEMBER(report.multiqc)));
  return table;
}

}  // namespace stemma
