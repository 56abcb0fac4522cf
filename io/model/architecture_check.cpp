// Contradictions between the parts of one table.
#include "io/model/architecture_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "io/config/yaml_section.hpp"

namespace stemma {
namespace {

/// Some key must have different values in both, so that never both apply.
bool exclude_each_other(const Entry& a, const Entry& b) {
  return std::any_of(a.when.begin(), a.when.end(), [&](const Condition& left) {
    return std::any_of(b.when.begin(), b.when.end(), [&](const Condition& right) {
      return left.key == right.key &&
             std::none_of(left.values.begin(), left.values.end(), [&](const std::string& value) {
               return std::find(right.values.begin(), right.values.end(), value) != right.values.end();
             });
    });
  });
}

class TableCheck {
 public:
  explicit TableCheck(const Architecture& table) : table_(table) {
    for (const DimRule& rule : table.dims) dim_names_.push_back(rule.name);
    for (const Entry& entry : table.entries) instances_.push_back(instances(entry));
    for (const Pattern& pattern : table.ignore) ignored_.push_back(keyed_spellings(pattern, table));
  }

  std::vector<Problem> run() {
    for (const DimRule& rule : table_.dims) check_dim(rule);
    for (const Entry& entry : table_.entries) check_entry(entry);
    for (std::size_t i = 0; i < table_.entries.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) check_pair(i, j);
      check_ignored(i);
    }
    check_essentials();
    return std::move(problems_);
  }

 private:
  bool is_own(const TablePlace& place) const { return place.file == table_.file; }

  void complain(const TablePlace& place, const std::string& key, std::string message) {
    problems_.push_back({place.file, place.at.line, place.at.column, key, std::move(message), ""});
  }

  void check_names(const Expression& expression, const TablePlace& place, const std::string& what) {
    for (const std::string& name : expression.names()) {
      if (table_.dim(name) != nullptr) continue;
      std::string message = fmt::format("{}: {} is not a dimension of {}", what, name, table_.family);
      if (const auto close_one = nearest(name, dim_names_)) {
        message += fmt::format(". Did you mean {}?", *close_one);
      } else {
        message += ". Declare it under dims";
      }
      complain(place, what, std::move(message));
    }
  }

  static std::vector<const Expression*> expressions_of(const DimRule& rule) {
    std::vector<const Expression*> all;
    for (const auto* expression : {&rule.fallback, &rule.divisor}) {
      if (*expression) all.push_back(&**expression);
    }
    for (const DimCase& one : rule.cases) all.push_back(&one.value);
    return all;
  }

  /// Cases, defaults and divisors may not need themselves.
  bool needs_itself(const DimRule& rule) const {
    std::set<std::string> seen;
    const std::function<bool(const DimRule&)> reaches = [&](const DimRule& at) {
      for (const Expression* expression : expressions_of(at)) {
        for (const std::string& name : expression->names()) {
          if (name == rule.name) return true;
          const DimRule* next = table_.dim(name);
          if (next != nullptr && seen.insert(name).second && reaches(*next)) return true;
        }
      }
      return false;
    };
    return reaches(rule);
  }

  void check_dim(const DimRule& rule) {
    if (!is_own(rule.place)) return;
    const std::string path = "dims." + rule.name;
    if (rule.keys.empty() && rule.cases.empty() && !rule.fallback && !rule.of && rule.name != "layers") {
      complain(rule.place, path, path + " has no source (cases, keys, shape or default)");
    }
    if (rule.fallback) check_names(*rule.fallback, rule.place, path + ".default");
    if (rule.divisor) check_names(*rule.divisor, rule.place, path + ".shape.div");
    for (const DimCase& one : rule.cases) check_names(one.value, rule.place, path + ".cases");
    if (needs_itself(rule)) complain(rule.place, path, path + " is computed from itself");
  }

  void check_entry(const Entry& entry) {
    if (!is_own(entry.place)) return;
    const std::string& name = entry.names.front().text();
    for (const Expression& axis : entry.shape) check_names(axis, entry.place, name + ": shape");
    if (entry.split) {
      for (const Expression& factor : entry.split->view)
        check_names(factor, entry.place, name + ": split.view");
      for (const SplitPart& part : entry.split->parts) {
        for (const Expression* e : {&part.size, &part.from, &part.to})
          check_names(*e, entry.place, name + ": split");
        if (part.paired_heads) check_names(*part.paired_heads, entry.place, name + ": paired_heads");
      }
    }
    if (entry.paired_heads) check_names(*entry.paired_heads, entry.place, name + ": paired_heads");
    if (!entry.variant.empty() &&
        std::find(table_.variants.begin(), table_.variants.end(), entry.variant) == table_.variants.end()) {
      std::string message = fmt::format("{}: {} is not among the variants", name, shown(entry.variant));
      if (const auto close_one = nearest(entry.variant, table_.variants)) {
        message += fmt::format(". Did you mean {}?", *close_one);
      }
      complain(entry.place, name, std::move(message));
    }
  }

  using Instances = std::vector<std::pair<std::string, Spelling>>;

  /// A name of `a` that can be read as one of `b`.
  static std::optional<std::string> shared_name(const Instances& a, const Instances& b) {
    for (const auto& [name, known] : a) {
      for (const auto& [other_name, other] : b) {
        if (other.match(name)) return name;
      }
    }
    return std::nullopt;
  }

  /// All names that an entry stands for, in layer 7 and of expert 3.
  Instances instances(const Entry& entry) const {
    Instances all;
    const auto add = [&](const Pattern& pattern) {
      for (KeyedSpelling& known : keyed_spellings(pattern, table_)) {
        std::string name = known.spelling.instance(7, 3);
        all.emplace_back(std::move(name), std::move(known.spelling));
      }
    };
    for (const Pattern& pattern : entry.names) {
      add(pattern);
      const auto bias = entry.bias == Presence::none ? std::nullopt : bias_pattern(pattern);
      if (bias) add(*bias);
    }
    return all;
  }

  void check_pair(std::size_t i, std::size_t j) {
    const Entry& a = table_.entries[i];
    const Entry& b = table_.entries[j];
    if ((!is_own(a.place) && !is_own(b.place)) || exclude_each_other(a, b)) return;
    const Entry& own = is_own(a.place) ? a : b;
    auto shared = shared_name(instances_[i], instances_[j]);
    if (!shared) shared = shared_name(instances_[j], instances_[i]);
    if (shared) {
      complain(own.place, own.names.front().text(),
               fmt::format("the name {} fits two entries, {} and {}", *shared, b.names.front().text(),
                           a.names.front().text()));
    }
    const bool alternatives = !a.variant.empty() && !b.variant.empty() && a.variant != b.variant;
    if (alternatives || a.stack != b.stack || a.has_layer() != b.has_layer()) return;
    const auto theirs = b.parts();
    for (const Part part : a.parts()) {
      if (part == Part::other || std::find(theirs.begin(), theirs.end(), part) == theirs.end()) continue;
      complain(
          own.place, own.names.front().text(),
          fmt::format("the role {} has two entries, {} and {} (a role is unique per layer, variant and when)",
                      name_of(part), b.names.front().text(), a.names.front().text()));
    }
  }

  void check_ignored(std::size_t i) {
    const Entry& entry = table_.entries[i];
    for (std::size_t k = 0; k < ignored_.size(); ++k) {
      for (const auto& [name, spelling] : instances_[i]) {
        const auto hit = std::any_of(
            ignored_[k].begin(), ignored_[k].end(),
            [&name = name](const KeyedSpelling& known) { return known.spelling.match(name).has_value(); });
        if (!hit) continue;
        complain(
            is_own(entry.place) ? entry.place : table_.family_place, entry.names.front().text(),
            fmt::format("the name {} is both a tensor and ignored by {}", name, table_.ignore[k].text()));
        return;
      }
    }
  }

  void check_essentials() {
    const bool essential = std::any_of(table_.entries.begin(), table_.entries.end(), [](const Entry& entry) {
      const auto parts = entry.parts();
      return std::any_of(parts.begin(), parts.end(), [](Part part) {
        const auto name = name_of(part);
        return part == Part::embed || name.starts_with("attn.") || name.starts_with("ssm.");
      });
    });
    if (!essential) {
      complain(
          table_.family_place, "tensors",
          fmt::format("{} has no embed, attn.* or ssm.* (a language model has one of them)", table_.family));
    }
  }

  const Architecture& table_;
  std::vector<std::string> dim_names_;
  std::vector<Instances> instances_;                 ///< per entry
  std::vector<std::vector<KeyedSpelling>> ignored_;  ///< per pattern of `ignore`
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> faults_of(const Architecture& table) { return TableCheck(table).run(); }

}  // namespace stemma
