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
    if (rule.per_layer) return resolve_layers(rule);
    const auto claimed = from_config(rule);
    const auto measured = rule.name == "layers" ? counted_layers() : from_shape(rule);
    if (measured) {
      const bool padded =
          claimed && has_padded_rows(rule) &&
          is_padding(static_cast<std::uint64_t>(*measured), static_cast<std::uint64_t>(*claimed));
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
      const bool of_a_layer = rule.name == "layers" || rule.of->has_layer();
      if (!of_a_layer && !padded) dims_.model_wide.insert(rule.name);
    } else if (claimed) {
      dims_.values[rule.name] = *claimed;
    } else if (rule.fallback) {
      fall_back(rule);
    }
  }

  void fall_back(const DimRule& rule) {
    const Expression::Value value = evaluated(*rule.fallback);
    if (value.number && *value.number > 0) {
      dims_.values[rule.name] = *value.number;
    } else if (!value.unresolved) {
      ledger_.add({.severity = Severity::warning,
                   .rule = "dims_unresolved",
                   .expected = fmt::format("{} = {}", rule.name, rule.fallback->text()),
                   .found = value.number ? fmt::format("{}", *value.number) : value.why,
                   .hint = "the configuration contradicts itself, so the dimension is unknown"},
                  "dim " + rule.name);
    }
  }

  /// Widths that differ from layer to layer are read from the shapes of every layer.
  void resolve_layers(const DimRule& rule) {
    dims_.measured.insert(rule.name);
    if (rule.fallback) {
      for (const std::string& name : rule.fallback->names()) {
        if (const DimRule* other = explanation_.table->dim(name)) resolve(*other);
      }
    }
    std::map<int, std::uint32_t> deciding;
    if (rule.of) deciding = names_.by_layer(keyed_spellings(*rule.of, *explanation_.table));
    for (const int layer : layers()) {
      const auto found = deciding.find(layer);
      auto value = found == deciding.end()      ? std::nullopt
                   : can_measure(found->second) ? extent(rule, found->second)
                                                : std::nullopt;
      if (!value && rule.fallback) value = rule.fallback->evaluate(dims_.in_layer(layer)).number;
      if (value && *value > 0) dims_.per_layer[layer][rule.name] = *value;
    }
  }

  std::set<int> layers() const {
    std::set<int> all;
    for (const TensorUse& use : explanation_.uses) {
      if (use.fate == TensorUse::Fate::used && use.at.layer >= 0) all.insert(use.at.layer);
    }
    return all;
  }

  Expression::Value evaluated(const Expression& expression) {
    for (const std::string& name : expression.names()) {
      if (const DimRule* rule = explanation_.table->dim(name)) resolve(*rule);
    }
    return expression.evaluate(dims_.values);
  }

  std::optional<std::int64_t> from_config(const DimRule& rule) {
    for (const DimCase& one : rule.cases) {
      if (!holds(one.when, *explanation_.table, config_)) continue;
      const auto value = evaluated(one.value).number;
      return value && *value > 0 ? value : std::nullopt;
    }
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
    return tensor ? extent(rule, *tensor) : std::nullopt;
  }

  std::optional<std::int64_t> extent(const DimRule& rule, std::uint32_t tensor) {
    const auto& shape = checkpoint_.tensors[tensor].shape;
    if (rule.axis >= shape.size() || shape[rule.axis] == 0 || shape[rule.axis] > INT64_MAX)
      return std::nullopt;
    const auto value = static_cast<std::int64_t>(shape[rule.axis]);
    if (!rule.divisor) return value;
    const auto divisor = evaluated(*rule.divisor).number;
    if (!divisor || *divisor <= 0 || value % *divisor != 0) return std::nullopt;
    return value / *divisor;
  }

  /// Codes of quantised weights and tensors of another rank measure nothing.
  std::optional<std::uint32_t> deciding_tensor(const DimRule& rule) const {
    if (!rule.of) return std::nullopt;
    const auto tensor = names_.first(keyed_spellings(*rule.of, *explanation_.table));
    return tensor && can_measure(*tensor) ? tensor : std::nullopt;
  }

  bool can_measure(std::uint32_t tensor) const {
    const auto fate = explanation_.uses[tensor].fate;
    return fate != TensorUse::Fate::wrong_rank && fate != TensorUse::Fate::not_real;
  }

  bool has_padded_rows(const DimRule& rule) const {
    const auto tensor = deciding_tensor(rule);
    if (!tensor || rule.axis != 0) return false;
    const TensorUse& use = explanation_.uses[*tensor];
    return use.fate == TensorUse::Fate::used && explanation_.table->entries[use.entry].padded;
  }

  std::optional<std::int64_t> counted_layers() const {
    std::set<int> layers;
    for (const TensorUse& use : explanation_.uses) {
      if (use.fate != TensorUse::Fate::used || use.at.layer < 0) continue;
      if (use.stack == Stack::decoder) layers.insert(use.at.layer);
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

}  // namespace

Dims ResolvedDims::in_layer(int layer) const {
  Dims all = values;
  if (const auto found = per_layer.find(layer); found != per_layer.end()) {
    all.insert(found->second.begin(), found->second.end());
  }
  return all;
}

ResolvedDims resolve_dims(const Explanation& explanation, const Checkpoint& checkpoint,
                          const NameIndex& names, const ModelConfig& config, FindingLedger& ledger) {
  return DimResolver(explanation, checkpoint, names, config, ledger).run();
}

}  // namespace stemma
