// Values of a table, each with its place when it is wrong.
#include "io/model/architecture_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace stemma {
namespace {

std::string item_path(const Section& section, std::string_view key, std::size_t i) {
  return fmt::format("{}[{}]", section.path_of(key), i);
}

/// Runs one of the parsers that throw std::invalid_argument on a scalar.
template <class T, class Parse>
std::optional<T> parsed(const YamlNode& node, const std::string& path, Complaints& complaints, Parse parse) {
  if (node.kind != YamlNode::Kind::scalar) {
    complaints.add(node.at, path, fmt::format("{} is {}; it must be a text", path, name_of(node.kind)));
    return std::nullopt;
  }
  try {
    return parse(node.text);
  } catch (const std::invalid_argument& error) {
    complaints.add(node.at, path, fmt::format("{}: \"{}\": {}", path, shown(node.text), error.what()));
    return std::nullopt;
  }
}

}  // namespace

std::optional<Pattern> read_pattern(const YamlNode& node, const std::string& path, Complaints& complaints,
                                    Pattern::Stars stars) {
  return parsed<Pattern>(node, path, complaints,
                         [stars](const std::string& text) { return Pattern::parse(text, stars); });
}

std::vector<Pattern> read_patterns(Section& section, std::string_view key, Pattern::Stars stars) {
  std::vector<Pattern> patterns;
  const auto& items = section.list(key);
  for (std::size_t i = 0; i < items.size(); ++i) {
    auto pattern = read_pattern(items[i], item_path(section, key, i), section.complaints(), stars);
    if (!pattern) continue;
    if (std::find(patterns.begin(), patterns.end(), *pattern) != patterns.end()) {
      section.complaints().add(items[i].at, section.path_of(key),
                               fmt::format("{} occurs twice in {}", pattern->text(), section.path_of(key)));
      continue;
    }
    patterns.push_back(std::move(*pattern));
  }
  return patterns;
}

std::optional<Expression> read_expression(const YamlNode& node, const std::string& path,
                                          Complaints& complaints) {
  return parsed<Expression>(node, path, complaints, Expression::parse);
}

std::optional<Expression> read_expression(Section& section, std::string_view key) {
  const YamlNode* node = section.find(key);
  return node ? read_expression(*node, section.path_of(key), section.complaints()) : std::nullopt;
}

std::vector<Expression> read_expressions(Section& section, std::string_view key) {
  std::vector<Expression> expressions;
  const auto& items = section.list(key);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (auto expression = read_expression(items[i], item_path(section, key, i), section.complaints())) {
      expressions.push_back(std::move(*expression));
    }
  }
  return expressions;
}

std::optional<Part> read_part(const YamlNode& node, const std::string& path, Complaints& complaints) {
  std::vector<std::string> known;
  for (std::uint8_t i = 0; i < part_count; ++i) {
    const auto part = static_cast<Part>(i);
    if (part != Part::buffer && part != Part::unknown) known.emplace_back(name_of(part));
  }
  if (node.kind == YamlNode::Kind::scalar) {
    if (std::find(known.begin(), known.end(), node.text) != known.end()) return part_named(node.text);
    std::string message = fmt::format("{}: {} is not a role", path, shown(node.text));
    if (node.text == name_of(Part::buffer)) {
      message += " of a tensor (buffers are dropped). List the name under ignore";
    } else if (const auto close_one = nearest(node.text, known)) {
      message += fmt::format(". Did you mean {}?", *close_one);
    } else {
      message += fmt::format(". Known: {}", fmt::join(known, ", "));
    }
    complaints.add(node.at, path, message);
  } else {
    complaints.add(node.at, path,
                   fmt::format("{} is {}; it must be the name of a role", path, name_of(node.kind)));
  }
  return std::nullopt;
}

std::vector<Condition> read_when(Section& section) {
  std::vector<Condition> conditions;
  const YamlNode* node = section.find("when");
  if (node == nullptr) return conditions;
  if (node->kind != YamlNode::Kind::mapping) {
    section.complain("when", fmt::format("{} is {}; it must map config keys to values",
                                         section.path_of("when"), name_of(node->kind)));
    return conditions;
  }
  const auto scalar = [](const YamlNode& value) {
    return value.kind == YamlNode::Kind::null ? std::string("null") : value.text;
  };
  for (std::size_t i = 0; i < node->keys.size(); ++i) {
    const YamlNode& value = node->values[i];
    Condition condition{node->keys[i].text, {}};
    if (value.kind == YamlNode::Kind::list) {
      for (const YamlNode& item : value.values) condition.values.push_back(scalar(item));
    } else {
      condition.values.push_back(scalar(value));
    }
    if (value.kind == YamlNode::Kind::mapping || condition.values.empty()) {
      section.complaints().add(value.at, section.path_of("when"),
                               fmt::format("{}.{} must be a value or a list of values",
                                           section.path_of("when"), shown(condition.key)));
    }
    conditions.push_back(std::move(condition));
  }
  return conditions;
}

bool is_identifier(std::string_view text) {
  return !text.empty() && text.size() <= 40 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::optional<std::string> read_identifier(Section& section, std::string_view key) {
  auto text = section.text(key);
  if (!text || is_identifier(*text)) return text;
  section.complain(key, fmt::format("{}: \"{}\" is not an identifier (1 to 40 of a-z, 0-9 and _)",
                                    section.path_of(key), shown(*text)));
  return std::nullopt;
}

std::vector<std::string> read_names(Section& section, std::string_view key) {
  return section.texts(key).value_or(std::vector<std::string>{});
}

}  // namespace stemma
