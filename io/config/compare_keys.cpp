// Which keys say how models are compared from archives?
#include "io/config/compare_keys.hpp"

#include <utility>

#include "io/config/key_binding.hpp"

namespace stemma {

std::vector<Key> compare_keys() {
  using T = KeyType;
  const auto tests = STEMMA_MEMBER(compare.tests);
  std::vector<Key> table;
  const auto add = [&](Key key) { table.push_back(std::move(key)); };

  add({.path = "compare", .meaning = "How models are compared, from the archive alone."});
  add(bound(
      {.path = "compare.against",
       .type = T::input_paths,
       .meaning =
           "Archives or run directories whose models are compared with those of this run, as references "
           "ID@ARCHIVE; not among themselves.",
       .consumer = "compare",
       .computed_default = "none"},
      STEMMA_MEMBER(compare.against)));
  add(bound({.path = "compare.pairs",
             .type = T::choice,
             .meaning = "Which pairs: all; only declared ones; those with a reference; those of a list.",
             .consumer = "compare",
             .choices = {"all", "declared", "reference", "listed"}},
            STEMMA_MEMBER(compare.pairs)));
  add(bound({.path = "compare.list",
             .type = T::input_path,
             .meaning = "TSV with columns a and b of model ids; belongs to pairs: listed.",
             .consumer = "compare",
             .computed_default = "none"},
            STEMMA_MEMBER(compare.list)));
  add(questions({.path = "compare.tests",
                 .meaning = "The pair tests. Each needs the analyzer of its name.",
                 .consumer = "compare",
                 .computed_default = "those whose analyzer runs"},
                tests));
  add(question({.path = "compare.tests.content", .meaning = "Share of equal tensors."}, tests));
  add(question(
      {.path = "compare.tests.histogram", .meaning = "Equal histograms: the same values in another order."},
      tests));
  add(question({.path = "compare.tests.intrinsic_fingerprint", .meaning = "Correlation of the layer curves."},
               tests));
  add(option({.path = "compare.tests.intrinsic_fingerprint.depth",
              .type = T::choice,
              .meaning = "Models of different depth: stretch the shorter curve, or abstain.",
              .consumer = "analyzers/intrinsic_fingerprint",
              .choices = {"interp_longer", "refuse"}},
             tests));
  add(option({.path = "compare.tests.intrinsic_fingerprint.min_layers",
              .type = T::integer,
              .meaning = "With fewer layers the test abstains.",
              .consumer = "analyzers/intrinsic_fingerprint",
              .lowest = 2,
              .highest = 1000,
              .reason = "a correlation needs at least two layers"},
             tests));
  add(question({.path = "compare.tests.neuron_match",
                .meaning = "Agreement of neurons, with p-values against independent initialisation."},
               tests));
  add(question({.path = "compare.tests.tensorguard", .meaning = "Distance of gradient responses."}, tests));
  add(bound(
      {.path = "compare.background",
       .type = T::word_or_path,
       .meaning = "Scores to rank a score in: of this corpus's pairs not known as related (where they are "
                  "fewer than 20, the published ones), those of unrelated public models, none, or a table.",
       .consumer = "compare",
       .choices = {"corpus", "published", "none"}},
      STEMMA_MEMBER(compare.background)));
  add(bound({.path = "compare.independent",
             .type = T::texts,
             .meaning =
                 "Ids, or patterns of ids (*, ?), of models stated to be independent of all others, as those "
                 "of use: background are: their scores give the scores of other pairs a conformal p-value.",
             .consumer = "compare",
             .computed_default = "none"},
            STEMMA_MEMBER(compare.independent)));
  return table;
}

}  // namespace stemma
