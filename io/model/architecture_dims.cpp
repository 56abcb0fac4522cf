// Config against shapes, dimension by dimension; shapes win.
#include "io/model/architecture_dims.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace stemma {
namespace {

class DimResolver {
 public:
  DimResolver(const Explanation& explanation, const Checkpoint& checkpoint, const NameIndex& names,
              const ModelConfig& config, FindingLedger& ledger)
      : explanation_(explanation), checkpoint_(checkpoint), names_(names), config_(config), ledger_(ledger) {}

  ResolvedDims run() {
    for (const DimRule& rule : explanation_.table->dims) resolve(rule);
    if (explanation_.table->dim("layers") == nullptr) {
      if (const auto layers = counted_layers()) dims_.values["layers"] = *layers;
    }
    return std::move(dims_);
  }

 private:
  /// Tables have been checked for circles, so the recursion ends.
  void resolve(const DimRule& rule) {
    if (!visited_.insert(rule.name).second) return;
    const auto claimed = from_config(rule);
    const auto measured = rule.name == "layers" ? counted_layers() : from_shape(rule);
    if (measured) {
      const bool padded = claimed && *claimed <= *measured && is_padded(rule);
      if (claimed && *claimed != *measured && !padded) {
        ledger_.add({.severity = Severity::warning,
                     .rule = "config_shape_mismatch",
                     .expected = fmt::format("{} {} (config.json)", rule.name, *claimed),
                     .found = fmt::format("{}", *measured),
                     .hint = "the tensors decide"},
                    "dim " + rule.name);
      }
      dims_.values[rule.name] = padded ? *claimed : *measured;
      dims_.measured.insert(rule.name);
    } else if (claimed) {
      dims_.values[rule.name] = *claimed;
    } else if (rule.fallback) {
      if (const auto value = evaluated(*rule.fallback); value && *value > 0) dims_.values[rule.name] = *value;
    }
  }

  std::optional<std::int64_t> evaluated(const Expression& expression) {
    for (const std::string& name : expression.names()) {
      if (const DimRule* rule = explanation_.table->dim(name)) resolve(*rule);
    }
    return expression.evaluate(dims_.values).number;
  }

  std::optional<std::int64_t> from_config(const DimRule& rule) {
    for (const std::string& key : rule.keys) {
      const auto number = config_.number(key, explanation_.table->nested);
      if (number.value) return number.value;
      if (number.rejected.empty()) continue;
      ledger_.add({.severity = Severity::warning,
                   .rule = "config.value",
                   .expected = key + ": a whole number from 1 to 2^40",
                   .found = number.rejected,
                   .hint = "the value counts as absent"},
                  key);
    }
    return std::nullopt;
  }

  std::optional<std::int64_t> from_shape(const DimRule& rule) {
    const auto tensor = deciding_tensor(rule);
    if (!tensor || rule.axis >= checkpoint_.tensors[*tensor].shape.size()) return std::nullopt;
    const std::uint64_t extent = checkpoint_.tensors[*tensor].shape[rule.axis];
    if (extent == 0 || extent > INT64_MAX) return std::nullopt;
    const auto value = static_cast<std::int64_t>(extent);
    if (!rule.divisor) return value;
    const auto divisor = evaluated(*rule.divisor);
    if (!divisor || *divisor <= 0 || value % *divisor != 0) return std::nullopt;
    return value / *divisor;
  }

  std::optional<std::uint32_t> deciding_tensor(const DimRule& rule) const {
    if (!rule.of) return std::nullopt;
    return names_.first(keyed_spellings(*rule.of, *explanation_.table));
  }

  bool is_padded(const DimRule& rule) const {
    const auto tensor = deciding_tensor(rule);
    if (!tensor || rule.axis != 0) return false;
    const TensorUse& use = explanation_.uses[*tensor];
    return use.fate == TensorUse::Fate::used && explanation_.table->entries[use.entry].padded;
  }

  std::optional<std::int64_t> counted_layers() const {
    std::set<int> layers;
    for (const TensorUse& use : explanation_.uses) {
      if (use.fate != TensorUse::Fate::used || use.at.layer < 0) continue;
      if (explanation_.table->entries[use.entry].stack == Stack::decoder) layers.insert(use.at.layer);
    }
    return layers.empty() ? std::nullopt : std::optional(static_cast<std::int64_t>(layers.size()));
  }

  const Explanation& explanation_;
  const Checkpoint& checkpoint_;
  const NameIndex& names_;
  const ModelConfig& config_;
  FindingLedger& ledger_;
  ResolvedDims dims_;
  std::set<std::string> visited_;
};

/// What the tensors of one entry say about one axis.
struct AxisWitness {
  std::optional<std::uint64_t> value;
  bool unanimous = true;
  bool contradicts = false;
  std::uint32_t tensor = 0;  ///< the first that contradicts
};

bool agrees(const Entry& entry, std::size_t axis, std::uint64_t stored, std::int64_t expected) {
  if (expected < 0) return false;
  const auto wanted = static_cast<std::uint64_t>(expected);
  return stored == wanted || (entry.padded && axis == 0 && stored > wanted);
}

}  // namespace

ResolvedDims resolve_dims(const Explanation& explanation, const Checkpoint& checkpoint,
                          const NameIndex& names, const ModelConfig& config, FindingLedger& ledger) {
  return DimResolver(explanation, checkpoint, names, config, ledger).run();
}

std::vector<std::uint64_t> canonical_shape(const Entry& entry, bool bias,
                                           const std::vector<std::uint64_t>& stored) {
  auto shape = stored;
  if (!bias && is_transposed(entry.layout) && shape.size() >= 2) std::swap(shape.end()[-1], shape.end()[-2]);
  return shape;
}

bool is_turned(const Entry& entry, const std::vector<std::uint64_t>& canonical, const Dims& dims) {
  const std::size_t n = canonical.size();
  if (entry.shape.size() != n || n < 2 || entry.convolution || canonical[n - 1] == canonical[n - 2])
    return false;
  const auto out = entry.shape[n - 2].evaluate(dims).number;
  const auto in = entry.shape[n - 1].evaluate(dims).number;
  return out && in && *out > 0 && *in > 0 && static_cast<std::uint64_t>(*out) == canonical[n - 1] &&
         static_cast<std::uint64_t>(*in) == canonical[n - 2];
}

void reconcile_dims(const Explanation& explanation, const Checkpoint& checkpoint, ResolvedDims& dims,
                    FindingLedger& ledger) {
  const auto& entries = explanation.table->entries;
  std::vector<std::vector<AxisWitness>> witnesses(entries.size());
  std::vector<std::vector<Expression::Value>> expected(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    witnesses[i].resize(entries[i].shape.size());
    for (const Expression& axis : entries[i].shape) expected[i].push_back(axis.evaluate(dims.values));
  }
  for (std::uint32_t i = 0; i < explanation.uses.size(); ++i) {
    const TensorUse& use = explanation.uses[i];
    if (use.fate != TensorUse::Fate::used || use.bias) continue;
    const Entry& entry = entries[use.entry];
    const auto shape = canonical_shape(entry, false, checkpoint.tensors[i].shape);
    if (is_turned(entry, shape, dims.values)) continue;
    for (std::size_t axis = 0; axis < witnesses[use.entry].size(); ++axis) {
      AxisWitness& witness = witnesses[use.entry][axis];
      if (witness.value && *witness.value != shape[axis]) witness.unanimous = false;
      witness.value = shape[axis];
      const auto& want = expected[use.entry][axis].number;
      if (!want || agrees(entry, axis, shape[axis], *want)) continue;
      if (!witness.contradicts) witness.tensor = i;
      witness.contradicts = true;
    }
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    for (std::size_t axis = 0; axis < witnesses[i].size(); ++axis) {
      const AxisWitness& witness = witnesses[i][axis];
      if (!witness.contradicts) continue;
      const Expression& expression = entries[i].shape[axis];
      const std::uint64_t stored =
          canonical_shape(entries[i], false, checkpoint.tensors[witness.tensor].shape)[axis];
      ledger.add(
          {.severity = Severity::warning,
           .rule = "config_shape_mismatch",
           .expected = fmt::format("{} = {} on axis {}", expression.text(), *expected[i][axis].number, axis),
           .found = fmt::format("{}", stored),
           .hint = "the tensors decide; the configuration may belong to another model"},
          fmt::format("{} axis {}", i, axis), witness.tensor);
      if (const auto name = expression.as_name();
          name && witness.unanimous && dims.measured.count(*name) == 0) {
        dims.values[*name] = static_cast<std::int64_t>(stored);
        dims.measured.insert(*name);
        continue;
      }
      for (const std::string& name : expression.names()) {
        if (dims.measured.count(name) == 0) dims.values.erase(name);
      }
    }
  }
}

}  // namespace stemma
