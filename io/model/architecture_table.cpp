// What a table takes over from another, and the index of its names.
#include "io/model/architecture_table.hpp"

#include <algorithm>

namespace stemma {
namespace {

/// True when the child's entry stands in the place of the parent's: same stack and variant, and a role in
/// common.
bool replaces(const Entry& own, const Entry& inherited) {
  if (own.stack != inherited.stack || own.variant != inherited.variant) return false;
  const auto mine = own.parts();
  const auto theirs = inherited.parts();
  return std::any_of(mine.begin(), mine.end(), [&](Part part) {
    return part != Part::other && std::find(theirs.begin(), theirs.end(), part) != theirs.end();
  });
}

template <class T>
void append_new(std::vector<T>& to, const std::vector<T>& from) {
  for (const T& value : from) {
    if (std::find(to.begin(), to.end(), value) == to.end()) to.push_back(value);
  }
}

void add_names(Architecture& table, const Pattern& pattern, std::uint32_t entry, bool bias) {
  for (KeyedSpelling& known : keyed_spellings(pattern, table)) {
    table.names[std::move(known.key)].push_back({std::move(known.spelling), entry, bias});
  }
}

}  // namespace

std::vector<Part> Entry::parts() const {
  if (part) return {*part};
  std::vector<Part> all;
  for (const SplitPart& piece : split->parts) all.push_back(piece.part);
  return all;
}

const DimRule* Architecture::dim(std::string_view name) const {
  const auto found =
      std::find_if(dims.begin(), dims.end(), [&](const DimRule& rule) { return rule.name == name; });
  return found == dims.end() ? nullptr : &*found;
}

bool Architecture::varies_by_layer(const Expression& expression) const {
  const auto& used = expression.names();
  return std::any_of(used.begin(), used.end(), [&](const std::string& name) {
    const DimRule* rule = dim(name);
    return rule != nullptr && rule->per_layer;
  });
}

std::optional<Pattern> bias_pattern(const Pattern& weight) {
  using Ending = std::pair<std::string_view, std::string_view>;
  for (const auto& [end, of_bias] : {Ending{".weight", ".bias"}, Ending{".gamma", ".beta"},
                                     Ending{"_weight", "_bias"}, Ending{"_proj", "_proj_bias"}}) {
    if (!weight.text().ends_with(end)) continue;
    return Pattern::parse(weight.text().substr(0, weight.text().size() - end.size()) + std::string(of_bias));
  }
  return std::nullopt;
}

Architecture expanded(const Architecture& own, const Architecture& base) {
  Architecture table = own;
  for (const DimRule& rule : base.dims) {
    if (table.dim(rule.name) == nullptr) table.dims.push_back(rule);
  }
  if (!table.rope) table.rope = base.rope;
  if (!table.rotary_percent) table.rotary_percent = base.rotary_percent;
  if (!table.norm) {
    table.norm = base.norm;
    table.norm_offset = base.norm_offset;
  }
  append_new(table.nested, base.nested);
  append_new(table.prefixes, base.prefixes);
  append_new(table.others, base.others);
  append_new(table.ignore, base.ignore);
  for (const Entry& inherited : base.entries) {
    if (!inherited.variant.empty())
      continue;  // a layout among alternatives makes no sense without the others
    const auto parts = inherited.parts();
    const bool dropped = std::any_of(own.drop.begin(), own.drop.end(), [&](const auto& drop) {
      return std::find(parts.begin(), parts.end(), drop.first) != parts.end();
    });
    const bool replaced = std::any_of(own.entries.begin(), own.entries.end(),
                                      [&](const Entry& e) { return replaces(e, inherited); });
    if (!dropped && !replaced) table.entries.push_back(inherited);
  }
  return table;
}

std::vector<KeyedSpelling> keyed_spellings(const Pattern& pattern, const Architecture& table) {
  std::vector<KeyedSpelling> all;
  const auto add = [&](std::string_view prefix) {
    for (Spelling& spelling : pattern.spellings(prefix)) {
      std::string key = spelling.key();
      all.push_back({std::move(key), std::move(spelling)});
    }
  };
  add("");
  for (const std::string& prefix : table.prefixes) add(prefix);
  return all;
}

std::size_t number_of_spellings(const Architecture& table) {
  std::size_t all = 0;
  const auto count = [&](const std::vector<Pattern>& patterns, std::size_t each) {
    for (const Pattern& pattern : patterns) all += pattern.number_of_spellings() * each;
  };
  for (const Entry& entry : table.entries) count(entry.names, entry.bias == Presence::none ? 1 : 2);
  for (const auto* patterns : {&table.needs, &table.refuses, &table.others, &table.ignore})
    count(*patterns, 1);
  return all * (1 + table.prefixes.size());
}

void index_names(Architecture& table) {
  table.names.clear();
  for (std::uint32_t i = 0; i < table.entries.size(); ++i) {
    for (const Pattern& name : table.entries[i].names) {
      add_names(table, name, i, false);
      if (table.entries[i].bias == Presence::none) continue;
      if (const auto bias = bias_pattern(name)) add_names(table, *bias, i, true);
    }
  }
  for (const Pattern& pattern : table.needs) table.needed.push_back(keyed_spellings(pattern, table));
  for (const Pattern& pattern : table.refuses) table.refused.push_back(keyed_spellings(pattern, table));
  for (const RowRule& rule : table.rows) {
    table.compared.emplace_back(keyed_spellings(rule.of, table), keyed_spellings(rule.other, table));
  }
  const auto spell = [&](const std::vector<Pattern>& patterns, std::vector<Spelling>& into) {
    for (const Pattern& pattern : patterns) {
      for (KeyedSpelling& known : keyed_spellings(pattern, table)) into.push_back(std::move(known.spelling));
    }
  };
  spell(table.others, table.other_names);
  spell(table.ignore, table.ignored);
}

}  // namespace stemma
