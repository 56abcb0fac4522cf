// Names decide about families; claims only break ties between tables that the names fit.
#include "io/model/architecture_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace stemma {
namespace {

/// `needs` and `refuses` of the table.
bool names_fit(const Architecture& table, const NameIndex& names) {
  const auto occurs = [&](const std::vector<KeyedSpelling>& pattern) { return names.contains(pattern); };
  return std::all_of(table.needed.begin(), table.needed.end(), occurs) &&
         std::none_of(table.refused.begin(), table.refused.end(), occurs);
}

/// `rows` of the table.
bool rows_fit(const Architecture& table, const Checkpoint& checkpoint, const NameIndex& names) {
  const auto rows = [&](const std::vector<KeyedSpelling>& pattern) -> std::optional<std::uint64_t> {
    const auto tensor = names.first(pattern);
    if (!tensor || checkpoint.tensors[*tensor].shape.empty()) return std::nullopt;
    return checkpoint.tensors[*tensor].shape.front();
  };
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const auto one = rows(table.compared[i].first), other = rows(table.compared[i].second);
    if (!one || !other || (*one == *other) != table.rows[i].equal) return false;
  }
  return true;
}

bool fits_one_of(const std::vector<Spelling>& spellings, const std::string& name) {
  return std::any_of(spellings.begin(), spellings.end(),
                     [&](const Spelling& spelling) { return spelling.match(name).has_value(); });
}

/// A layer that has a tensor of its own stack, like the layers of DeepSeek that predict further tokens,
/// belongs to that stack with all its tensors.
void assign_stacks(Explanation& explanation) {
  using Fate = TensorUse::Fate;
  std::set<int> further;
  for (const TensorUse& use : explanation.uses) {
    if (use.fate == Fate::used && use.at.layer >= 0 && use.stack == Stack::mtp) further.insert(use.at.layer);
  }
  if (further.empty()) return;
  for (TensorUse& use : explanation.uses) {
    if (use.fate == Fate::used && use.stack == Stack::decoder && further.contains(use.at.layer))
      use.stack = Stack::mtp;
  }
}

bool share_a_text(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::any_of(a.begin(), a.end(),
                     [&](const std::string& text) { return std::find(b.begin(), b.end(), text) != b.end(); });
}

bool is_claimed(const Architecture& table, const ModelConfig& config) {
  return share_a_text(config.texts("model_type", table.nested), table.model_types) ||
         share_a_text(config.texts("architectures", table.nested), table.class_names);
}

bool explains_enough(const Explanation& explanation) {
  return static_cast<double>(explanation.bytes) >= 0.95 * static_cast<double>(explanation.all_bytes);
}

/// Deeper models than this have not been built; a name with a larger number would size every table of layers.
constexpr int most_layers = 10'000;

bool has_fitting_rank(const Entry& entry, bool bias, std::size_t rank) {
  if (bias) return rank == (is_stack(entry.layout) ? 2U : 1U);
  if (is_stack(entry.layout)) return rank == (entry.flat ? 2U : 3U);  // also where the table states no shape
  if (is_transposed(entry.layout)) return rank == 2;
  return entry.shape.empty() || entry.shape.size() == rank;
}

TensorUse use_of(const std::vector<KnownName>& known, const Explanation& explanation, const std::string& name,
                 const StoredTensor& tensor) {
  TensorUse use;
  for (const KnownName& candidate : known) {
    if (!explanation.active[candidate.entry]) continue;
    const auto found = candidate.spelling.match(name);
    if (!found) continue;
    use.entry = candidate.entry;
    use.bias = candidate.bias;
    use.stack = explanation.table->entries[candidate.entry].stack;
    use.at = *found;
    const Entry& entry = explanation.table->entries[candidate.entry];
    use.fate = !has_fitting_rank(entry, candidate.bias, tensor.shape.size()) ? TensorUse::Fate::wrong_rank
               : !is_real(tensor.dtype)                                      ? TensorUse::Fate::not_real
               : use.at.layer >= most_layers                                 ? TensorUse::Fate::wrong_layer
                                                                             : TensorUse::Fate::used;
    return use;
  }
  return use;
}

struct Best {
  std::optional<Explanation> winner;
  std::vector<std::string> tied;  ///< names of all winners when there are several
};

Best best_of(std::vector<Explanation> explanations) {
  const auto rank = [](const Explanation& e) { return std::tie(e.bytes, e.required); };
  Best best;
  for (Explanation& explanation : explanations) {
    if (best.winner && rank(explanation) < rank(*best.winner)) continue;
    if (!best.winner || rank(*best.winner) < rank(explanation)) best.tied.clear();
    best.tied.push_back(explanation.table->family);
    best.winner = std::move(explanation);
  }
  return best;
}

/// The family that config.json claims where it does not claim this one.
const Architecture* claimed_instead(std::span<const Architecture* const> tables, const Architecture& forced,
                                    const ModelConfig& config) {
  if (is_claimed(forced, config)) return nullptr;
  const auto claimed = std::find_if(tables.begin(), tables.end(),
                                    [&](const Architecture* table) { return is_claimed(*table, config); });
  return claimed == tables.end() ? nullptr : *claimed;
}

std::string claim_of(const ModelConfig& config) {
  auto texts = config.texts("model_type", {});
  const auto classes = config.texts("architectures", {});
  texts.insert(texts.end(), classes.begin(), classes.end());
  if (texts.size() > 4) texts.resize(4);
  return printable(fmt::format("{}", fmt::join(texts, ", ")), 120);
}

}  // namespace

Explanation explain(const Architecture* table, const Checkpoint& checkpoint, const NameIndex& names,
                    const ModelConfig& config) {
  Explanation explanation;
  explanation.table = table;
  explanation.uses.resize(checkpoint.tensors.size());
  if (table != nullptr) {
    for (const Entry& entry : table->entries) {
      explanation.active.push_back(holds(entry.when, *table, config));
    }
  }
  std::set<std::pair<std::uint32_t, bool>> required;
  for (const NameIndex::Group& group : names.groups()) {
    const auto known = table == nullptr ? nullptr : [&]() -> const std::vector<KnownName>* {
      const auto found = table->names.find(group.key);
      return found == table->names.end() ? nullptr : &found->second;
    }();
    for (const std::uint32_t i : group.tensors) {
      const StoredTensor& tensor = checkpoint.tensors[i];
      const std::string& name = names.name(i);
      TensorUse& use = explanation.uses[i];
      if (tensor.dtype == Dtype::boolean || tensor.dtype == Dtype::i64) {
        use.fate = TensorUse::Fate::buffer;
        continue;
      }
      if (known != nullptr) use = use_of(*known, explanation, name, tensor);
      const bool nameless = use.fate == TensorUse::Fate::unknown;
      if (nameless && (is_common_buffer(name) || (table != nullptr && fits_one_of(table->ignored, name)))) {
        use.fate = TensorUse::Fate::buffer;
        continue;
      }
      explanation.all_bytes += tensor.bytes;
      if (nameless && table != nullptr && fits_one_of(table->other_names, name)) {
        use.fate = is_real(tensor.dtype) ? TensorUse::Fate::other : TensorUse::Fate::not_real;
        explanation.bytes += tensor.bytes;
        continue;
      }
      if (use.fate != TensorUse::Fate::used) continue;
      explanation.bytes += tensor.bytes;
      const Entry& entry = table->entries[use.entry];
      const bool expected = use.bias ? entry.bias == Presence::required : !entry.optional;
      if (expected && required.emplace(use.entry, use.bias).second) ++explanation.required;
    }
  }
  assign_stacks(explanation);
  return explanation;
}

bool holds(const std::vector<Condition>& when, const Architecture& table, const ModelConfig& config) {
  return std::all_of(when.begin(), when.end(), [&](const Condition& condition) {
    const std::string value = config.scalar(condition.key, table.nested);
    return std::find(condition.values.begin(), condition.values.end(), value) != condition.values.end();
  });
}

Explanation choose(std::span<const Architecture* const> tables, const Architecture* forced,
                   const Checkpoint& checkpoint, const NameIndex& names, const ModelConfig& config,
                   FindingLedger& ledger) {
  if (forced != nullptr) {
    Explanation explanation = explain(forced, checkpoint, names, config);
    if (!names_fit(*forced, names) || !explains_enough(explanation)) {
      ledger.add({.severity = Severity::warning,
                  .rule = "architecture_claim",
                  .expected = "tensor names of " + forced->family,
                  .found = "others",
                  .hint = "the names contradict the architecture that was asked for"},
                 "");
    } else if (const Architecture* stated = claimed_instead(tables, *forced, config)) {
      ledger.add({.severity = Severity::warning,
                  .rule = "architecture_claim",
                  .expected = stated->family,
                  .found = forced->family,
                  .hint = "config.json claims another family than the one that was asked for"},
                 "");
    }
    return explanation;
  }

  std::vector<const Architecture*> contradicted;  // claimed, but the names do not fit
  std::vector<Explanation> claimed;
  std::vector<Explanation> doubtful;  // claimed, but explains too little
  std::vector<Explanation> fitting;
  std::vector<const Architecture*> others;
  for (const Architecture* table : tables) {
    if (!is_claimed(*table, config)) {
      others.push_back(table);
      continue;
    }
    if (!names_fit(*table, names)) {
      contradicted.push_back(table);
      continue;
    }
    Explanation explanation = explain(table, checkpoint, names, config);
    const bool enough = explains_enough(explanation);
    if (!enough) contradicted.push_back(table);
    (enough ? claimed : doubtful).push_back(std::move(explanation));
  }
  if (claimed.empty()) {  // where a claim holds, nobody asks the many others
    for (const Architecture* table : others) {
      if (table->claimed || !rows_fit(*table, checkpoint, names) || !names_fit(*table, names)) continue;
      Explanation explanation = explain(table, checkpoint, names, config);
      if (explains_enough(explanation)) fitting.push_back(std::move(explanation));
    }
  }
  const bool by_claim = !claimed.empty() || fitting.empty();
  Best best = best_of(std::move(!claimed.empty() ? claimed : !fitting.empty() ? fitting : doubtful));
  const auto warn = [&](const std::string& rule, std::string expected, std::string found, std::string hint) {
    ledger.add({.severity = Severity::warning,
                .rule = rule,
                .expected = std::move(expected),
                .found = std::move(found),
                .hint = std::move(hint)},
               "");
  };
  if (!best.winner) {
    if (!contradicted.empty()) {
      warn("architecture_claim", contradicted.front()->family, "other names",
           "the tensor names contradict the family that config.json claims");
    }
    warn(
        "unknown_architecture", "", claim_of(config),
        "no architecture table explains the tensor names, so roles are unknown; add a table for this family");
    return explain(nullptr, checkpoint, names, config);
  }
  if (best.tied.size() > 1) {
    ledger.add({.severity = Severity::error,
                .rule = "ambiguous_architecture",
                .expected = "one family",
                .found = fmt::format("{}", fmt::join(best.tied, ", ")),
                .hint = "several tables explain the names equally well; name one of them as architecture"},
               "");
    Explanation none = explain(nullptr, checkpoint, names, config);
    none.ambiguous = true;
    return none;
  }
  const std::string& family = best.winner->table->family;
  if (by_claim && !explains_enough(*best.winner)) {
    warn("architecture_claim", "tensor names of " + family, "many others",
         "config.json claims a family that explains less than 95 % of the bytes");
  } else if (!by_claim && !contradicted.empty()) {
    warn("architecture_claim", contradicted.front()->family, family,
         "the tensor names contradict the family that config.json claims; the names decided");
  } else if (!by_claim) {
    const std::string claim = claim_of(config);
    ledger.add({.severity = claim.empty() ? Severity::note : Severity::warning,
                .rule = "architecture_by_names",
                .expected = "",
                .found = claim.empty() ? "no claim" : claim,
                .hint = "no table knows what config.json claims; the tensor names fit " + family},
               "");
  }
  return std::move(*best.winner);
}

}  // namespace stemma
