// The keys at the top of a table.
#include "io/model/architecture_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/model/architecture_entry.hpp"
#include "io/model/architecture_values.hpp"

namespace stemma {
namespace {

constexpr std::size_t most_bytes = std::size_t{1} << 20;
constexpr std::string_view schema = "stemma.architecture/1";

/// `rows: [{of: PATTERN, equal: PATTERN}, {of: PATTERN, unequal: PATTERN}]`.
void read_rows(Section& match, Architecture& table) {
  const auto& rules = match.list("rows");
  for (std::size_t i = 0; i < rules.size(); ++i) {
    Section section(rules[i], fmt::format("match.rows[{}]", i), match.complaints());
    section.require("of");
    const bool equal = section.has("equal");
    if (equal == section.has("unequal")) {
      section.complaints().add(section.at(), section.path(),
                               fmt::format("{} must have either equal or unequal", section.path()));
    }
    const auto read = [&](std::string_view key) -> std::optional<Pattern> {
      const YamlNode* node = section.find(key);
      return node == nullptr ? std::nullopt : read_pattern(*node, section.path_of(key), section.complaints());
    };
    auto of = read("of");
    auto other = read(equal ? "equal" : "unequal");
    section.close();
    if (of && other) table.rows.push_back({std::move(*of), std::move(*other), equal});
  }
}

void read_match(Section& top, Architecture& table) {
  top.require("match");
  auto match = top.section("match");
  if (!match) return;
  table.model_types = read_names(*match, "model_type");
  table.class_names = read_names(*match, "architectures");
  read_names(*match, "gguf");  // checked here, interpreted by the reader of that format
  match->require("needs", "Without it the family would fit every checkpoint");
  const bool stated = match->has("needs");
  const std::size_t before = match->complaints().problems().size();
  table.needs = read_patterns(*match, "needs");
  if (stated && table.needs.empty() && match->complaints().problems().size() == before) {
    match->complain("needs", "match.needs is empty (the family would fit every checkpoint)");
  }
  table.refuses = read_patterns(*match, "refuses");
  read_rows(*match, table);
  table.claimed = match->boolean("claimed").value_or(false);
  match->close();
}

DimRule read_dim(Section& dims, const std::string& name) {
  DimRule rule;
  rule.name = name;
  rule.place = {dims.complaints().file(), dims.place_of(name)};
  if (!is_identifier(name) || (name.front() >= '0' && name.front() <= '9')) {
    dims.complain(name, fmt::format("dims: \"{}\" is not a name (a-z, 0-9 and _, not beginning with a digit)",
                                    shown(name)));
  }
  auto section = dims.section(name);
  if (!section) return rule;
  const auto& cases = section->list("cases");
  for (std::size_t i = 0; i < cases.size(); ++i) {
    Section one(cases[i], fmt::format("{}[{}]", section->path_of("cases"), i), section->complaints());
    one.require("when");
    one.require("value");
    DimCase read{read_when(one), {}};
    if (auto value = read_expression(one, "value")) read.value = std::move(*value);
    one.close();
    rule.cases.push_back(std::move(read));
  }
  rule.keys = read_names(*section, "keys");
  rule.per_layer = section->boolean("per_layer").value_or(false);
  rule.fallback = read_expression(*section, "default");
  if (auto shape = section->section("shape")) {
    shape->require("of");
    shape->require("axis");
    if (const YamlNode* of = shape->find("of")) {
      rule.of = read_pattern(*of, shape->path_of("of"), shape->complaints());
    }
    rule.axis =
        static_cast<std::size_t>(shape->integer("axis", {0, 7, "tensors have at most 8 axes"}).value_or(0));
    rule.divisor = read_expression(*shape, "div");
    shape->close();
  }
  if (rule.per_layer && (!rule.keys.empty() || !rule.cases.empty() || (rule.of && !rule.of->has_layer()))) {
    section->complain("per_layer",
                      fmt::format("{} takes its values from shapes with {{layer}} or from other dimensions",
                                  section->path_of("per_layer")));
  }
  section->close();
  return rule;
}

void read_dims(Section& top, Architecture& table) {
  auto dims = top.section("dims");
  if (!dims) return;
  for (const YamlKey& key : dims->keys()) table.dims.push_back(read_dim(*dims, key.text));
  dims->close();
}

void read_conventions(Section& top, Architecture& table) {
  if (const auto rope = top.choice("rope", {"half", "interleaved", "none", "mixed"})) {
    table.rope = *rope == "half"          ? Rope::half
                 : *rope == "interleaved" ? Rope::interleaved
                 : *rope == "none"        ? Rope::none
                                          : Rope::mixed;
  }
  if (const auto percent = top.integer("rotary_percent", {1, 100, "a share of every head"}))
    table.rotary_percent = static_cast<int>(*percent);
  if (auto norm = top.section("norm")) {
    norm->require("kind");
    if (const auto kind = norm->choice("kind", {"rms", "layer"})) {
      table.norm = *kind == "rms" ? NormKind::rms : NormKind::layer;
    }
    table.norm_offset = static_cast<int>(norm->integer("offset", {0, 1, "a gain is w or 1 + w"}).value_or(0));
    norm->close();
  }
}

void read_prefixes(Section& top, Architecture& table) {
  for (std::string& prefix : read_names(top, "prefixes")) {
    const bool plain =
        !prefix.empty() && prefix.size() <= 100 && std::all_of(prefix.begin(), prefix.end(), [](char c) {
          return c > ' ' && c <= '~' && std::string_view("[]{}*").find(c) == std::string_view::npos;
        });
    if (!plain || !prefix.ends_with('.')) {
      top.complain("prefixes",
                   fmt::format("prefixes: \"{}\" is not plain text that ends in a dot", shown(prefix)));
      continue;
    }
    table.prefixes.push_back(std::move(prefix));
  }
}

void read_inheritance(Section& top, Architecture& table) {
  const std::string& file = top.complaints().file();
  table.replaces = read_identifier(top, "replaces").value_or("");
  table.replaces_place = {file, top.place_of("replaces")};
  table.extends = read_identifier(top, "extends").value_or("");
  table.extends_place = {file, top.place_of("extends")};
  const auto& drops = top.list("drop");
  for (std::size_t i = 0; i < drops.size(); ++i) {
    if (const auto part = read_part(drops[i], fmt::format("drop[{}]", i), top.complaints())) {
      table.drop.push_back({*part, {file, drops[i].at}});
    }
  }
  if (!drops.empty() && !top.has("extends")) {
    top.complain("drop", "drop has no effect (the table extends no other family)");
  }
}

}  // namespace

std::optional<Architecture> read_architecture(const std::filesystem::path& file, Complaints& complaints) {
  const auto text = read_text_file(file.string(), most_bytes, complaints);
  if (!text) return std::nullopt;
  const auto root = parse_yaml(*text, complaints);
  if (!root) return std::nullopt;
  Section top(*root, "", complaints);
  top.require("schema", fmt::format("Begin the file with schema: {}", schema));
  if (const auto found = top.text("schema"); found && *found != schema) {
    top.complain("schema", fmt::format("schema is {}; this build reads {}", shown(*found), schema));
  }
  Architecture table;
  table.file = file.string();
  top.require("family");
  table.family = read_identifier(top, "family").value_or("");
  table.family_place = {table.file, top.place_of("family")};
  if (!table.family.empty() && file.stem().string() != table.family) {
    top.complain("family",
                 fmt::format("family is {}, but the file is named {} (a family is found by its file). "
                             "Rename one of them",
                             table.family, shown(file.filename().string())));
  }
  table.title = top.text("title").value_or(table.family);
  read_match(top, table);
  read_inheritance(top, table);
  table.nested = read_names(top, "nested");
  read_prefixes(top, table);
  read_dims(top, table);
  read_conventions(top, table);
  table.variants = read_names(top, "variants");
  const auto& entries = top.list("tensors");
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (auto entry = read_entry(entries[i], fmt::format("tensors[{}]", i), complaints)) {
      table.entries.push_back(std::move(*entry));
    }
  }
  if (entries.empty() && table.extends.empty()) top.require("tensors");
  table.others = read_patterns(top, "others", Pattern::Stars::allowed);
  table.ignore = read_patterns(top, "ignore", Pattern::Stars::allowed);
  if (const YamlNode* gguf = top.find("gguf")) table.gguf = *gguf;
  top.close();
  if (table.family.empty()) return std::nullopt;
  return table;
}

}  // namespace stemma
