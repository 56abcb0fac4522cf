// The order of the steps: config, names, family, dimensions, matrices, ties.
#include "io/model/canonicalise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "io/model/canonical_matrices.hpp"
#include "io/model/completeness.hpp"
#include "io/model/generic_roles.hpp"

namespace stemma {
namespace {

/// No tensor claims to be lm_head, the table ties it to the embedding, and the embedding is there. A head
/// that is there and cannot be used is no tied head.
bool has_tied_head(const Model& model, const Explanation& explanation) {
  const auto& entries = explanation.table->entries;
  const bool may_tie = std::any_of(entries.begin(), entries.end(), [](const Entry& entry) {
    return entry.tied_to_embed && entry.part == Part::lm_head;
  });
  using Fate = TensorUse::Fate;
  const bool has_own =
      std::any_of(explanation.uses.begin(), explanation.uses.end(), [&](const TensorUse& use) {
        const bool known = use.fate != Fate::unknown && use.fate != Fate::buffer && use.fate != Fate::other;
        return known && !use.bias && entries[use.entry].part == Part::lm_head;
      });
  return may_tie && !has_own && model.find({.part = Part::embed}) != nullptr;
}

void check_ties(const Model& model, std::string_view stated, FindingLedger& ledger) {
  const auto violated = [&](std::string expected, std::string found, std::string hint) {
    ledger.add({.severity = Severity::warning,
                .rule = "tie_violated",
                .expected = std::move(expected),
                .found = std::move(found),
                .hint = std::move(hint)},
               "");
  };
  if (model.tied_head && stated == "false") {
    violated("lm_head (config.json: tie_word_embeddings is false)", "none", "the embedding serves as head");
  }
  const Matrix* head = model.find({.part = Part::lm_head});
  const Matrix* embed = model.find({.part = Part::embed});
  if (stated != "true" || head == nullptr || embed == nullptr) return;
  if (head->rows == embed->rows && head->cols == embed->cols) return;
  violated(fmt::format("{} x {} (config.json: tie_word_embeddings is true)", embed->rows, embed->cols),
           fmt::format("{} x {}", head->rows, head->cols), "lm_head and embedding cannot be one tensor");
}

std::optional<std::int64_t> head_dim(const Dims& dims) {
  const auto found = dims.find("head_dim");
  return found == dims.end() ? std::nullopt : std::optional(found->second);
}

/// Of the first key that config.json has, else of the family.
double rotary_share(const Architecture& table, const ModelConfig& config, const Dims& dims) {
  for (const char* key : {"partial_rotary_factor", "rope_parameters.partial_rotary_factor", "rotary_pct"}) {
    const std::string text = config.scalar(key, table.nested);
    if (text == "null") continue;
    double share = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole && share >= 0 && share <= 1 ? share : std::numeric_limits<double>::quiet_NaN();
  }
  const auto turned = config.number("rotary_dim", table.nested).value, width = head_dim(dims);
  if (turned && width && *turned <= *width) return static_cast<double>(*turned) / static_cast<double>(*width);
  return table.rotary_percent.value_or(100) / 100.0;
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
    model.rotary_share = rotary_share(*table, config, dims.values);
    check_completeness(explanation, dims.values, ledger);
  }
  model.dims = {dims.values.begin(), dims.values.end()};
  model.matrices = canonical_matrices(explanation, checkpoint, dims, ledger);
  if (explanation.table == nullptr && !explanation.ambiguous) {
    model.heuristic = guess_roles(model.matrices, checkpoint, ledger);
  }
  if (explanation.table != nullptr) {
    model.tied_head = has_tied_head(model, explanation);
    check_ties(model, config.scalar("tie_word_embeddings", explanation.table->nested), ledger);
  }
  model.findings = ledger.finish();
  model.checkpoint = std::move(checkpoint);
  return model;
}

}  // namespace stemma
