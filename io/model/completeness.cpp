// What is expected but absent, per entry and layer.
#include "io/model/completeness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace stemma {
namespace {

class Completeness {
 public:
  Completeness(const Explanation& explanation, const Dims& dims, FindingLedger& ledger)
      : table_(*explanation.table), explanation_(explanation), dims_(dims), ledger_(ledger) {
    seen_.resize(2 * table_.entries.size());
    for (const TensorUse& use : explanation.uses) {
      if (use.fate != TensorUse::Fate::used) continue;
      const std::string& variant = table_.entries[use.entry].variant;
      Seen& seen = seen_[2 * use.entry + (use.bias ? 1 : 0)][use.at.layer];
      ++seen.tensors;
      seen.largest_expert = std::max(seen.largest_expert, use.at.expert);
      if (use.at.layer >= 0) layers_[use.stack].insert(use.at.layer);
      if (!variant.empty()) variants_[{use.stack, use.at.layer}].insert(variant);
    }
  }

  void run() {
    for (const auto& [stack, layers] : layers_) check_gaps(stack, layers);
    for (const auto& [where, variants] : variants_) {
      if (variants.size() < 2) continue;
      note(Severity::error, "mixed_variants", "one layout per layer",
           fmt::format("{}", fmt::join(variants, ", ")),
           fmt::format("layer {} mixes alternative layouts", where.second), "");
    }
    for (std::uint32_t i = 0; i < table_.entries.size(); ++i) {
      const Entry& entry = table_.entries[i];
      if (!explanation_.active[i]) continue;
      if (!entry.optional) check_presence(i, false);
      if (entry.bias == Presence::required) check_presence(i, true);
      if (entry.has_expert()) check_experts(i);
    }
  }

 private:
  void note(Severity severity, const std::string& rule, std::string expected, std::string found,
            std::string hint, const std::string& group) {
    ledger_.add({.severity = severity,
                 .rule = rule,
                 .expected = std::move(expected),
                 .found = std::move(found),
                 .hint = std::move(hint)},
                group);
  }

  void check_gaps(Stack stack, const std::set<int>& layers) {
    const int largest = *layers.rbegin();
    const int first = stack == Stack::mtp ? *layers.begin() : 0;  // its layers are numbered behind the others
    const auto missing = static_cast<std::size_t>(largest - first) + 1 - layers.size();
    if (missing == 0) return;
    note(Severity::warning, "layer_gap", fmt::format("layers {} to {}", first, largest),
         fmt::format("{} of them", layers.size()),
         fmt::format("the {} has gaps: {} missing", name_of(stack), missing), std::string(name_of(stack)));
  }

  /// The layers in which an entry must occur: all of its stack, or those that chose its variant.
  std::vector<int> expected_layers(const Entry& entry) const {
    std::vector<int> expected;
    const auto wants = [&](int layer) {
      if (entry.variant.empty()) return true;
      const auto found = variants_.find({entry.stack, layer});
      return found != variants_.end() && found->second.contains(entry.variant);
    };
    if (!entry.has_layer()) {
      if (wants(-1)) expected.push_back(-1);
      return expected;
    }
    const auto layers = layers_.find(entry.stack);
    if (layers == layers_.end()) return expected;
    std::copy_if(layers->second.begin(), layers->second.end(), std::back_inserter(expected), wants);
    return expected;
  }

  void check_presence(std::uint32_t i, bool bias) {
    const Entry& entry = table_.entries[i];
    const auto& seen = seen_[std::size_t{2} * i + (bias ? 1 : 0)];
    const auto expected = expected_layers(entry);
    std::vector<int> missing;
    std::copy_if(expected.begin(), expected.end(), std::back_inserter(missing),
                 [&](int layer) { return seen.find(layer) == seen.end(); });
    const bool enough = entry.every_layer ? missing.empty() : missing.empty() || !seen.empty();
    if (enough) return;
    const std::string name = (bias ? *bias_pattern(entry.names.front()) : entry.names.front()).text();
    const std::string where = entry.has_layer()
                                  ? fmt::format("missing in {} of {} layers, first in {}", missing.size(),
                                                expected.size(), missing.front())
                                  : "missing";
    note(Severity::warning, "missing_tensor", name, where,
         fmt::format("the table of {} expects it", table_.family), name);
  }

  void check_experts(std::uint32_t i) {
    const Entry& entry = table_.entries[i];
    const auto& seen = seen_[std::size_t{2} * i];
    const auto stated = dims_.find("experts");
    std::int64_t expected = stated == dims_.end() ? 0 : stated->second;
    if (expected == 0) {
      for (const auto& [layer, experts] : seen) {
        expected = std::max<std::int64_t>(expected, experts.tensors);
      }
    }
    for (const auto& [layer, experts] : seen) {
      if (experts.tensors == expected && experts.largest_expert < expected) continue;
      note(Severity::warning, "expert_gap", fmt::format("{} experts, numbered from 0", expected),
           fmt::format("{} in layer {}, the last of number {}", experts.tensors, layer,
                       experts.largest_expert),
           entry.names.front().text(), entry.names.front().text());
    }
  }

  const Architecture& table_;
  const Explanation& explanation_;
  const Dims& dims_;
  FindingLedger& ledger_;
  struct Seen {
    int tensors = 0;
    int largest_expert = -1;
  };
  std::vector<std::map<int, Seen>> seen_;  ///< per entry, weight and bias: what each layer has
  std::map<Stack, std::set<int>> layers_;
  std::map<std::pair<Stack, int>, std::set<std::string>> variants_;
};

}  // namespace

void check_completeness(const Explanation& explanation, const Dims& dims, FindingLedger& ledger) {
  Completeness(explanation, dims, ledger).run();
}

}  // namespace stemma
