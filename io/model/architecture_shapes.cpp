// Every axis of every tensor is a witness; dimensions are settled by the witnesses that name them alone.
#include "io/model/architecture_shapes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace stemma {
namespace {

bool agrees(const Entry& entry, std::size_t axis, std::uint64_t stored, std::int64_t expected) {
  if (expected < 0) return false;
  const auto wanted = static_cast<std::uint64_t>(expected);
  return stored == wanted || (entry.padded && axis == 0 && is_padding(stored, wanted));
}

/// What the tensors of one entry say about one axis.
struct AxisWitness {
  std::optional<std::uint64_t> value;
  bool unanimous = true;
  std::optional<std::uint32_t> contradicting;  ///< the first tensor that contradicts
};

class Reconciliation {
 public:
  Reconciliation(const Explanation& explanation, const Checkpoint& checkpoint, ResolvedDims& dims,
                 FindingLedger& ledger)
      : table_(*explanation.table),
        entries_(explanation.table->entries),
        explanation_(explanation),
        checkpoint_(checkpoint),
        dims_(dims),
        ledger_(ledger) {}

  void run() {
    observe();
    report([](const Expression& axis) { return axis.as_name().has_value(); });
    settle_names();
    observe();  // again, with what was settled
    report([](const Expression& axis) { return !axis.as_name(); });
    remove_doubtful();
    check_groups();
  }

 private:
  void observe() {
    witnesses_.assign(entries_.size(), {});
    expected_.emplace(table_, dims_);
    for (std::size_t i = 0; i < entries_.size(); ++i) witnesses_[i].resize(entries_[i].shape.size());
    for (std::uint32_t i = 0; i < explanation_.uses.size(); ++i) {
      const TensorUse& use = explanation_.uses[i];
      if (use.fate == TensorUse::Fate::used && !use.bias) hear(i, use.entry);
    }
  }

  void hear(std::uint32_t tensor, std::uint32_t index) {
    const Entry& entry = entries_[index];
    const ExpectedShape& expected = expected_->of(index, explanation_.uses[tensor].at.layer);
    const auto shape = canonical_shape(entry, false, checkpoint_.tensors[tensor].shape, expected);
    if (shape.size() < witnesses_[index].size() || is_turned(entry, shape, expected) ||
        impossible_axis(entry, shape, expected))
      return;
    for (std::size_t axis = 0; axis < witnesses_[index].size(); ++axis) {
      AxisWitness& witness = witnesses_[index][axis];
      if (witness.value && *witness.value != shape[axis]) witness.unanimous = false;
      witness.value = shape[axis];
      const Expression::Value& want = expected.axes[axis];
      if (want.number ? agrees(entry, axis, shape[axis], *want.number) : want.unresolved) continue;
      if (!witness.contradicting) witness.contradicting = tensor;
    }
  }

  template <class Which>
  void report(const Which& which) {
    for (std::uint32_t i = 0; i < entries_.size(); ++i) {
      for (std::size_t axis = 0; axis < witnesses_[i].size(); ++axis) {
        const auto& tensor = witnesses_[i][axis].contradicting;
        const Expression& expression = entries_[i].shape[axis];
        if (!tensor || !which(expression)) continue;
        const ExpectedShape& expected = expected_->of(i, explanation_.uses[*tensor].at.layer);
        const Expression::Value& want = expected.axes[axis];
        const auto shape = canonical_shape(entries_[i], false, checkpoint_.tensors[*tensor].shape, expected);
        ledger_.add(
            {.severity = Severity::warning,
             .rule = "config_shape_mismatch",
             .expected = want.number
                             ? fmt::format("{} = {} on axis {}", expression.text(), *want.number, axis)
                             : fmt::format("{} on axis {}, but {}", expression.text(), axis, want.why),
             .found = fmt::format("{}", shape[axis]),
             .hint = "the tensors decide; the configuration may belong to another model"},
            fmt::format("{} axis {}", i, axis), *tensor);
      }
    }
  }

  struct Testimony {
    std::optional<std::uint64_t> value;
    bool unanimous = true;
    bool contradicts = false;
  };

  /// What all axes say that consist of one dimension which no shape has decided yet.
  std::map<std::string, Testimony> testimonies() {
    std::map<std::string, Testimony> all;
    for (std::uint32_t i = 0; i < entries_.size(); ++i) {
      for (std::size_t axis = 0; axis < witnesses_[i].size(); ++axis) {
        const AxisWitness& witness = witnesses_[i][axis];
        const auto name = entries_[i].shape[axis].as_name();
        if (!name || !witness.value || dims_.measured.contains(*name)) continue;
        if (entries_[i].padded && axis == 0 && expected_->of(i, -1).axes[axis].number &&
            !witness.contradicting)
          continue;
        Testimony& said = all[*name];
        if (!witness.unanimous || (said.value && *said.value != *witness.value)) said.unanimous = false;
        said.value = witness.value;
        said.contradicts = said.contradicts || witness.contradicting.has_value();
      }
    }
    return all;
  }

  void settle_names() {
    for (const auto& [name, said] : testimonies()) {
      const bool stated = dims_.values.contains(name);
      if (stated && !said.contradicts) continue;
      if (said.unanimous && *said.value > 0) {
        dims_.values[name] = static_cast<std::int64_t>(*said.value);
        dims_.measured.insert(name);
        continue;
      }
      dims_.values.erase(name);
      if (stated) continue;  // reported as a contradiction
      ledger_.add({.severity = Severity::warning,
                   .rule = "dims_unresolved",
                   .expected = fmt::format("one size of {}", name),
                   .found = "tensors of several sizes",
                   .hint = "the configuration does not say it, and the tensors disagree"},
                  "dim " + name);
    }
  }

  void remove_doubtful() {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      for (std::size_t axis = 0; axis < witnesses_[i].size(); ++axis) {
        if (!witnesses_[i][axis].contradicting || entries_[i].shape[axis].as_name()) continue;
        for (const std::string& name : entries_[i].shape[axis].names()) {
          if (!dims_.measured.contains(name)) dims_.values.erase(name);
        }
      }
    }
  }

  void check_groups() {
    const auto heads = dims_.values.find("heads"), kv_heads = dims_.values.find("kv_heads");
    if (heads == dims_.values.end() || kv_heads == dims_.values.end()) return;
    if (heads->second % kv_heads->second == 0) return;
    ledger_.add({.severity = Severity::warning,
                 .rule = "config.value",
                 .expected = "a number of key and value heads that divides the number of heads",
                 .found = fmt::format("{} and {}", kv_heads->second, heads->second),
                 .hint = "heads share key and value heads in equal groups; both numbers count as absent"},
                "kv_heads of heads");
    dims_.values.erase("heads");
    dims_.values.erase("kv_heads");
  }

  const Architecture& table_;
  const std::vector<Entry>& entries_;
  const Explanation& explanation_;
  const Checkpoint& checkpoint_;
  ResolvedDims& dims_;
  FindingLedger& ledger_;
  std::vector<std::vector<AxisWitness>> witnesses_;  ///< per entry and axis
  std::optional<ExpectedShapes> expected_;
};

}  // namespace

std::vector<std::uint64_t> canonical_shape(const Entry& entry, bool bias,
                                           const std::vector<std::uint64_t>& stored,
                                           const ExpectedShape& expected) {
  auto shape = stored;
  if (entry.flat && !bias && shape.size() == 2) {
    const auto experts = expected.axes.front().number;
    if (experts && *experts > 0 && shape[0] % static_cast<std::uint64_t>(*experts) == 0) {
      shape.insert(shape.begin(), static_cast<std::uint64_t>(*experts));
      shape[1] /= shape[0];
    }
  }
  if (!bias && is_transposed(entry.layout) && shape.size() >= 2) std::swap(shape.end()[-1], shape.end()[-2]);
  return shape;
}

ExpectedShapes::ExpectedShapes(const Architecture& table, const ResolvedDims& dims)
    : table_(table), dims_(dims) {
  for (const Entry& entry : table.entries) {
    common_.push_back(expected_shape(entry, dims, dims.values));
    varies_.push_back(std::any_of(entry.shape.begin(), entry.shape.end(),
                                  [&](const Expression& axis) { return table.varies_by_layer(axis); }));
  }
}

const ExpectedShape& ExpectedShapes::of(std::uint32_t entry, int layer) {
  if (!varies_[entry]) return common_[entry];
  const auto [found, is_new] = in_layer_.try_emplace({entry, layer});
  if (is_new) found->second = expected_shape(table_.entries[entry], dims_, dims_.in_layer(layer));
  return found->second;
}

ExpectedShape expected_shape(const Entry& entry, const ResolvedDims& dims, const Dims& values) {
  ExpectedShape expected;
  for (std::size_t axis = 0; axis < entry.shape.size(); ++axis) {
    const auto& names = entry.shape[axis].names();
    expected.axes.push_back(entry.shape[axis].evaluate(values));
    expected.is_fixed.push_back(!(entry.padded && axis == 0) &&
                                std::all_of(names.begin(), names.end(), [&](const auto& name) {
                                  return dims.model_wide.contains(name);
                                }));
  }
  return expected;
}

bool is_turned(const Entry& entry, const std::vector<std::uint64_t>& canonical,
               const ExpectedShape& expected) {
  const std::size_t n = canonical.size();
  if (expected.axes.size() != n || n < 2 || entry.convolution) return false;
  const std::size_t out = n - 2, in = n - 1;
  if (canonical[out] == canonical[in]) return false;
  const auto other_has = [&](std::size_t axis, std::size_t other) {
    const auto& size = expected.axes[axis].number;
    return size && *size > 0 && canonical[other] == static_cast<std::uint64_t>(*size);
  };
  const bool out_is_in = other_has(out, in), in_is_out = other_has(in, out);
  return (out_is_in && (in_is_out || expected.is_fixed[out])) || (in_is_out && expected.is_fixed[in]);
}

std::optional<std::size_t> impossible_axis(const Entry& entry, const std::vector<std::uint64_t>& canonical,
                                           const ExpectedShape& expected) {
  if (expected.axes.size() != canonical.size()) return std::nullopt;
  for (std::size_t axis = 0; axis < canonical.size(); ++axis) {
    const auto& size = expected.axes[axis].number;
    if (expected.is_fixed[axis] && size && !agrees(entry, axis, canonical[axis], *size)) return axis;
  }
  return std::nullopt;
}

void reconcile_dims(const Explanation& explanation, const Checkpoint& checkpoint, ResolvedDims& dims,
                    FindingLedger& ledger) {
  Reconciliation(explanation, checkpoint, dims, ledger).run();
}

}  // namespace stemma
