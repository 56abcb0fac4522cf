// The order of the steps: config, names, family, dimensions, matrices, ties.
#include "io/model/canonicalise.hpp"

#include <algorithm>

#include "io/model/canonical_matrices.hpp"
#include "io/model/completeness.hpp"

namespace stemma {
namespace {

/// lm_head is absent, the table ties it to the embedding, and the embedding is there.
bool has_tied_head(const Model& model, const Architecture& table) {
  const bool may_tie = std::any_of(table.entries.begin(), table.entries.end(), [](const Entry& entry) {
    return entry.tied_to_embed && entry.part == Part::lm_head;
  });
  return may_tie && model.find({.part = Part::lm_head}) == nullptr &&
         model.find({.part = Part::embed}) != nullptr;
}

}  // namespace

Model canonical_model(Checkpoint checkpoint, std::span<const Architecture* const> tables,
                      const Architecture* forced) {
  Model model;
  FindingLedger ledger(checkpoint);
  const ModelConfig config(checkpoint.config_json);
  if (config.is_malformed()) {
    ledger.add({.severity = Severity::warning,
                .rule = "config.ignored",
                .file = "config.json",
                .hint = "not a JSON object, so nothing of it is used"},
               "");
  }
  const NameIndex names(checkpoint.tensors);
  const Explanation explanation = choose(tables, forced, checkpoint, names, config, ledger);
  ResolvedDims dims;
  if (const Architecture* table = explanation.table) {
    model.family = table->family;
    model.norm = table->norm.value_or(NormKind::rms);
    model.rope = table->rope.value_or(Rope::half);
    dims = resolve_dims(explanation, checkpoint, names, config, ledger);
    reconcile_dims(explanation, checkpoint, dims, ledger);
    check_completeness(explanation, dims.values, ledger);
  }
  model.dims = {dims.values.begin(), dims.values.end()};
  model.matrices = canonical_matrices(explanation, checkpoint, dims.values, ledger);
  if (explanation.table != nullptr) {
    model.tied_head = has_tied_head(model, *explanation.table);
    if (model.tied_head && config.scalar("tie_word_embeddings", explanation.table->nested) == "false") {
      ledger.add({.severity = Severity::warning,
                  .rule = "tie_violated",
                  .expected = "lm_head (config.json: tie_word_embeddings is false)",
                  .found = "none",
                  .hint = "the embedding serves as head"},
                 "");
    }
  }
  model.findings = ledger.finish();
  model.checkpoint = std::move(checkpoint);
  return model;
}

}  // namespace stemma
