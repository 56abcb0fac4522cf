// An override is a walk through the tree with one change at its end.
#include "io/config/overrides.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

namespace stemma {
namespace {

/// "models[0].id" is name models, index 0, name id.
struct Step {
  std::string name;
  std::optional<std::size_t> index;
};

bool is_first(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// The keys of the mapping sweep.over are dotted themselves.
void join_swept_key(std::vector<Step>& steps) {
  if (steps.size() < 4 || steps[0].name != "sweep" || steps[1].name != "over") return;
  while (steps.size() > 3 && !steps[3].index) {
    steps[2].name += "." + steps[3].name;
    steps.erase(steps.begin() + 3);
  }
}

/// The longest prefix of `text` that is a key; its steps are appended to `steps`.
std::size_t parse_key(std::string_view text, std::vector<Step>& steps) {
  std::size_t at = 0;
  while (at < text.size() && is_first(text[at])) ++at;
  if (at == 0) return 0;
  steps.push_back({std::string(text.substr(0, at)), std::nullopt});
  while (at < text.size()) {
    std::size_t end = at + 1;
    if (text[at] == '.') {
      while (end < text.size() && is_word(text[end])) ++end;
      if (end == at + 1) break;
      steps.push_back({std::string(text.substr(at + 1, end - at - 1)), std::nullopt});
    } else if (text[at] == '[') {
      std::size_t index = 0;
      const auto [stop, error] = std::from_chars(text.data() + end, text.data() + text.size(), index);
      end = static_cast<std::size_t>(stop - text.data());
      if (error != std::errc{} || end >= text.size() || text[end] != ']') break;
      ++end;
      steps.push_back({"", index});
    } else {
      break;
    }
    at = end;
  }
  join_swept_key(steps);
  return at;
}

void move_to(YamlNode& node, const Place& at) {
  node.at = at;
  for (YamlKey& key : node.keys) key.at = at;
  for (YamlNode& value : node.values) move_to(value, at);
}

/// The text of a value as a tree; problems of the parser get the argument's place.
std::optional<YamlNode> parse_value(std::string_view text, const Place& at, Complaints& complaints) {
  Complaints own(at.argument);
  auto value = parse_yaml(text, own);
  for (const Problem& problem : own.problems()) complaints.add(at, problem.key, problem.message);
  if (!own.problems().empty()) return std::nullopt;
  move_to(*value, at);
  return value;
}

class Walker {
 public:
  Walker(Place at, Complaints& complaints) : complaints_(complaints), at_(std::move(at)) {}

  const Place& at() const { return at_; }
  void complain(const std::string& message) { complaints_.add(at_, "", message); }

  /// The node that the steps lead to; nullptr after a problem, or when it is absent and `make` is false.
  YamlNode* walk(YamlNode& root, const std::vector<Step>& steps, bool make) {
    YamlNode* node = &root;
    std::string path;
    for (const Step& step : steps) {
      YamlNode* next = step.index ? item(*node, path, *step.index) : child(*node, path, step.name, make);
      if (!next) return nullptr;
      path += step.index ? fmt::format("[{}]", *step.index) : (path.empty() ? "" : ".") + step.name;
      node = next;
    }
    return node;
  }

 private:
  YamlNode* item(YamlNode& node, const std::string& path, std::size_t index) {
    if (node.kind != YamlNode::Kind::list || index >= node.values.size()) {
      complain(
          node.kind == YamlNode::Kind::list
              ? fmt::format("{}[{}] does not exist; {} has {} item{}, counted from 0", path, index, path,
                            node.values.size(), node.values.size() == 1 ? "" : "s")
              : fmt::format("{} is {}, not a list; [{}] means nothing", path, name_of(node.kind), index));
      return nullptr;
    }
    return &node.values[index];
  }

  YamlNode* child(YamlNode& node, const std::string& path, const std::string& name, bool make) {
    if (node.kind == YamlNode::Kind::null && make) {
      node.kind = YamlNode::Kind::mapping;
      node.at = at_;
    }
    if (node.kind != YamlNode::Kind::mapping) {
      complain(node.kind == YamlNode::Kind::null
                   ? fmt::format("{} is empty; there is no {} in it", path, name)
                   : fmt::format("{} is {}, which has no key {}", path, name_of(node.kind), name));
      return nullptr;
    }
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      if (node.keys[i].text == name) return &node.values[i];
    }
    if (!make) {
      complain(fmt::format("{}{}{} is not given, so there is nothing to remove", path,
                           path.empty() ? "" : ".", name));
      return nullptr;
    }
    node.keys.push_back({name, at_});
    node.values.emplace_back();
    node.values.back().at = at_;
    return &node.values.back();
  }

  Complaints& complaints_;
  Place at_;
};

void remove(YamlNode& root, std::vector<Step> steps, Walker& walker) {
  const YamlNode* victim = walker.walk(root, steps, false);
  if (!victim) return;
  steps.pop_back();
  YamlNode& parent = *walker.walk(root, steps, false);
  const auto index = victim - parent.values.data();
  parent.values.erase(parent.values.begin() + index);
  if (parent.kind == YamlNode::Kind::mapping) parent.keys.erase(parent.keys.begin() + index);
}

void append(YamlNode& list, YamlNode value, const std::string& key, Walker& walker) {
  if (list.kind == YamlNode::Kind::null) {
    list.kind = YamlNode::Kind::list;
    list.at = walker.at();
  }
  if (list.kind != YamlNode::Kind::list) {
    walker.complain(
        fmt::format("{} is {}, not a list; += appends to lists. Use {}=...", key, name_of(list.kind), key));
    return;
  }
  if (value.kind != YamlNode::Kind::list) {
    list.values.push_back(std::move(value));
    return;
  }
  for (YamlNode& item : value.values) list.values.push_back(std::move(item));
}

}  // namespace

bool is_override(std::string_view argument) {
  if (argument.starts_with('~')) return argument.size() > 1 && argument[1] != '/';
  std::vector<Step> steps;
  const std::string_view rest = argument.substr(parse_key(argument, steps));
  return !steps.empty() && (rest.starts_with('=') || rest.starts_with("+="));
}

void apply_override(YamlNode& root, const Override& change, Complaints& complaints) {
  Walker walker(Place{0, 0, change.place}, complaints);
  const std::string_view text = change.text;
  const bool removes = text.starts_with('~');
  std::vector<Step> steps;
  const std::size_t begin = removes ? 1 : 0;
  const std::size_t end = begin + parse_key(text.substr(begin), steps);
  const std::string key(text.substr(begin, end - begin));
  const std::string_view rest = text.substr(end);
  if (removes && !steps.empty() && rest.empty()) return remove(root, std::move(steps), walker);
  const bool appends = rest.starts_with("+=");
  if (removes || steps.empty() || !(appends || rest.starts_with('='))) {
    walker.complain(fmt::format("{} is not an override. Write key=value, key+=value or ~key", shown(text)));
    return;
  }
  auto value = parse_value(rest.substr(appends ? 2 : 1), walker.at(), complaints);
  if (!value) return;
  YamlNode* target = walker.walk(root, steps, true);
  if (!target) return;
  if (appends) return append(*target, std::move(*value), key, walker);
  *target = std::move(*value);
}

void set_value(YamlNode& root, std::string_view key, YamlNode value, const Place& at,
               Complaints& complaints) {
  Walker walker(at, complaints);
  std::vector<Step> steps;
  parse_key(key, steps);
  if (YamlNode* target = walker.walk(root, steps, true)) *target = std::move(value);
}

}  // namespace stemma
