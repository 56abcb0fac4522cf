// Parts that several documents have, each described once.
#include "pipeline/documents/shared_shapes.hpp"

#include "io/archive/evidence.hpp"

namespace stemma::documents {

Shape relation() { return text_of(names_up_to(Relation::abstain)); }
Shape grade() { return text_of(names_up_to(Grade::X)); }
Shape log10_p() { return number("log10").or_null(); }
Shape settings() { return map(text()); }

Shape claims() {
  return list(object({{"base", text(), "the parent, as it is named there"},
                      {"relation", text(), "what is said to have been done, \"\" where nothing is"},
                      {"source", text(), "file or column that says so"}}));
}

Key canonical_exact() {
  return {"canonical_exact", hash(), "hash of all results that are the same bits on any machine"};
}

Key canonical_all() {
  return {"canonical_all", hash(), "the same with spectra, whose last bits depend on who computed them"};
}

Shape difference() {
  const Shape column =
      object({{"subject", text(), "id of a model, \"A and B\" for a pair, \"\" for what belongs to nobody"},
              {"method", text(), "whose numbers these are"},
              {"dataset", text(), "path in the archive"},
              {"may_differ", flag(), "no more than rounding, or only in how it was found"},
              {"values", count(), "values that differ"},
              {"of", count(), "values compared, 0 when there are not as many in both"},
              {"size", number().or_null(), "largest difference, relative but for integers; null for text"},
              {"example", text(), "how the first value that differs reads"}});
  return object({{"relation", text(), "in words: equal values, equal but for rounding, or different"},
                 {"only_here", list(text()), "models and pairs that the other archive lacks"},
                 {"only_there", list(text()), "models and pairs that this archive lacks"},
                 {"methods", list(text()), "methods of other versions, in words"},
                 {"columns", list(column), "every column of which a value differs"}});
}

}  // namespace stemma::documents
