// How do patterns, expressions, roles and lists of them stand in the YAML of a table?
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "io/config/yaml_section.hpp"
#include "io/model/architecture_table.hpp"

namespace stemma {

// Each returns nothing after noting a problem at the value's place.

std::optional<Pattern> read_pattern(const YamlNode& node, const std::string& path, Complaints& complaints,
                                    Pattern::Stars stars = Pattern::Stars::refused);
std::vector<Pattern> read_patterns(Section& section, std::string_view key,
                                   Pattern::Stars stars = Pattern::Stars::refused);

std::optional<Expression> read_expression(const YamlNode& node, const std::string& path,
                                          Complaints& complaints);
std::optional<Expression> read_expression(Section& section, std::string_view key);
std::vector<Expression> read_expressions(Section& section, std::string_view key);

/// A part that a tensor may have: not buffer (which `ignore` is for), not unknown.
std::optional<Part> read_part(const YamlNode& node, const std::string& path, Complaints& complaints);

/// Texts of [a-z0-9_], at most 40 of them.
std::optional<std::string> read_identifier(Section& section, std::string_view key);
bool is_identifier(std::string_view text);

/// Values that keys of config.json must have: a mapping of keys to a value or a list of values.
std::vector<Condition> read_when(Section& section);
std::vector<std::string> read_names(Section& section, std::string_view key);

}  // namespace stemma
