// What a thing is, whether it is sound, and what was made of it.
#include "io/archive/features.hpp"
#include "io/model/finding.hpp"
#include "pipeline/documents/shared_shapes.hpp"

namespace stemma::documents {
namespace {

Shape finding_row() {
  return object({{"model", text(), "id"},
                 {"severity", text_of(names_up_to(Severity::note)), "how bad it is"},
                 {"rule", text(), "name of the rule"},
                 {"file", text(), "where"},
                 {"tensor", text(), "in it, \"\" where it is about no tensor"},
                 {"byte_offset", bytes().or_null(), "in the file"},
                 {"expected", text(), "by the rule"},
                 {"found", text(), "instead"},
                 {"hint", text(), "what to do"},
                 {"sentence", text(), "all of it in words"}});
}

Shape claim_row() {
  return object({{"model", text(), "id"},
                 {"base", text(), "the parent, as it is named there"},
                 {"relation", text(), "what is said to have been done, \"\" where nothing is"},
                 {"source", text(), "file or column that says so"}});
}

Shape feature_row() {
  return object({{"model", text(), "id"},
                 {"method", text(), "that measured it"},
                 {"layer", integer(), "counted from 0, -1 for the whole model"},
                 {"part", text(), "of the layer"},
                 {"feature", text(), "what was measured"},
                 {"value", number().or_null(), "its number"}});
}

Document inspect() {
  const Shape tensor = object({{"role", text(), "path by what the tensor does: layers/3/attn.q"},
                               {"name", text(), "in its file"},
                               {"dtype", text(), "type of its elements there"},
                               {"shape", list(count()), "as stored"},
                               {"rows", count(), "of the matrix that is measured"},
                               {"cols", count(), "of the matrix that is measured"},
                               {"steps", text(), "how one becomes the other, \"\" where nothing is done"}});
  const Shape scheme = object({{"scheme", text(), "in words: GPTQ, 4 bits, groups of 128"},
                               {"tensors", count(), "that it made of codes and scales"}});
  const Shape finding = object({{"severity", text_of(names_up_to(Severity::note)), "how bad it is"},
                                {"rule", text(), "name of the rule"},
                                {"sentence", text(), "place, problem, and what to do"}});
  const Shape model = object({{"id", text(), "of the model"},
                              {"kind", text_of({"model"}), "what the target is"},
                              {"path", text(), "as it was named"},
                              {"format", text(), "of its files"},
                              {"architecture", text(), "family, \"\" where it is unknown"},
                              {"layers", count(), "blocks"},
                              {"dims", map(integer()), "sizes by name: hidden, heads, vocab, ..."},
                              {"parameters", count(), "numbers in all tensors"},
                              {"bytes", bytes(), "of all tensors"},
                              {"quantised", list(scheme), "schemes of quantisation, none of plain values"},
                              {"tensors", list(tensor), "every matrix that is measured"},
                              {"findings", list(finding), "what is odd about its files"},
                              {"claims", claims(), "where its files say that it comes from"}});
  const Shape unusable = object({{"id", text(), "of the model"},
                                 {"kind", text_of({"model"}), "what the target is"},
                                 {"path", text(), "as it was named"},
                                 {"problem", text(), "why it cannot be used"},
                                 {"rule", text(), "name of the rule that its files break"}});
  const Shape row = object({{"id", text(), "of the model"},
                            {"architecture", text(), "family, \"\" where it is unknown"},
                            {"layers", integer(), "blocks"},
                            {"parameters", count(), "numbers in all tensors"},
                            {"status", text_of(names_up_to(Status::pending)), "whether all was measured"},
                            {"tensors", count(), "that were measured"}});
  const Shape archive = object({{"id", text(), "as it was named"},
                                {"kind", text_of({"archive"}), "what the target is"},
                                {"created", text(), "when it was made, UTC"},
                                {"models", list(row), "that it holds"},
                                {"pairs", count(), "that it holds"},
                                {"failures", count(), "that it lists"},
                                canonical_exact(),
                                canonical_all()});
  const Shape part =
      object({{"id", text(), "of the model, or the archive as it was named"},
              {"kind", text_of({"model", "archive"}), "what the target is"},
              {"findings", list(finding_row()).if_any(), "with --findings: what is odd about the files"},
              {"claims", list(claim_row()).if_any(), "with --declared: what is said about descent"},
              {"features", list(feature_row()).if_any(), "with --features: what was measured"}});
  return {.name = "inspect",
          .place = "stemma inspect --json",
          .meaning = "What models and archives are, from their headers.",
          .keys = {version(),
                   {"targets", list(either({model, unusable, archive, part})),
                    "archives first; else in the order in which they were named"}}};
}

Document verify() {
  const Shape unexpected =
      object({{"a", text(), "id of a model"},
              {"b", text(), "id of the other"},
              {"expected", text(), "relation, as the table says"},
              {"found", text().or_null(), "relation; null where there is no such pair"}});
  const Shape file = object({{"model", text().or_null(), "id, of an archive's models"},
                             {"path", text(), "where the file is now"},
                             {"sha256", text().or_null(), "of its bytes; null where it cannot be read"},
                             {"stated", text().or_null(), "what it should be, as far as anybody says"},
                             {"stated_by", text().or_null(), "who says so"}});
  const Shape derived = object({{"agrees", flag(), "with what the archive holds"},
                                {"inputs", count(), "models that were read again"},
                                {"inputs_with_recorded_hashes", count(), "of these"},
                                {"other_methods", list(text()), "whose versions are others today"},
                                {"difference", difference(), "in numbers"}});
  const Shape target =
      object({{"target", text(), "as it was named"},
              {"kind", text_of({"archive", "checkpoint"}), "what it is"},
              {"complaints", list(text()), "any of them makes it invalid"},
              {"remarks", list(text()), "warnings and notes"},
              canonical_exact(),
              canonical_all(),
              {"against", text(), "what it is to the archive of --against, in words; \"\" without"},
              {"difference", difference().if_any(), "where it differs from the archive of --against"},
              {"expectation",
               object({{"pairs", count(), "of the table of --expect"},
                       {"differing", list(unexpected), "those that are not as expected"}})
                   .if_any(),
               "what became of the table of --expect"},
              {"files", list(file).if_any(), "with --hashes: every file"},
              {"derived", derived.if_any(), "with --deep: what the weights gave again"}});
  return {.name = "verify",
          .place = "stemma verify --json",
          .meaning = "What is wrong with checkpoints and archives.",
          .keys = {version(), {"targets", list(target), "in the order in which they were named"}}};
}

Document merge() {
  const Shape source = object({{"archive", text(), "that was merged"}, canonical_exact(), canonical_all()});
  const Shape renamed = object({{"id", text(), "that several archives use for different models"},
                                {"other", text(), "what tells these apart"},
                                {"ids", list(text()), "their new ids"}});
  return {.name = "merge",
          .place = "stemma merge --json",
          .meaning = "What archives have become together.",
          .keys = {version(),
                   {"archive", text(), "that was written"},
                   canonical_exact(),
                   canonical_all(),
                   {"sources", list(source), "what it was made of"},
                   {"models", count(), "in it"},
                   {"repeated", list(text()), "ids of models that several archives hold alike"},
                   {"renamed", list(renamed), "ids that stood for several models"},
                   {"pairs", count(), "in it"},
                   {"pairs_compared", count(), "of these, compared for it"},
                   {"pairs_not_compared", count(), "across archives, whose methods differ"}}};
}

Document fingerprint() {
  return {.name = "fingerprint",
          .place = "stemma fingerprint --json",
          .meaning = "Which archive was made, and what it holds.",
          .keys = {version(),
                   {"archive", text(), "that was written"},
                   {"models", count(), "that were named"},
                   {"failures", count(), "that it lists"},
                   canonical_exact(),
                   canonical_all()}};
}

Document report() {
  return {.name = "report",
          .place = "stemma report --json",
          .meaning = "Which page was made of an archive.",
          .keys = {version(),
                   {"page", text(), "that was written"},
                   {"bytes", bytes(), "its size"},
                   {"sentences", list(text()), "that stand at its top"}}};
}

Document reproduce() {
  return {.name = "reproduce",
          .place = "stemma run --reproduce --json",
          .meaning = "Whether an archive could be made again.",
          .keys = {version(),
                   {"archive", text(), "that was made now"},
                   {"agrees", flag(), "its results are those of the recorded one"},
                   {"inputs", count(), "models of the recorded one"},
                   {"inputs_with_recorded_hashes", count(), "of these, models with the same bytes now"},
                   {"other_methods", list(text()), "methods whose version is another now"},
                   {"difference", difference(), "where both differ"}}};
}

}  // namespace

std::vector<Document> target_documents() {
  return {inspect(), verify(), merge(), fingerprint(), report(), reproduce()};
}

}  // namespace stemma::documents
