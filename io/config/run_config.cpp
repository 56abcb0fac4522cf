// The tree and the table of keys are walked side by side; what needs several keys is checked last.
#include "io/config/config_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "io/config/key_advice.hpp"
#include "io/config/key_table.hpp"
#include "io/config/model_entries.hpp"
#include "io/config/moment.hpp"
#include "io/config/yaml_section.hpp"

namespace stemma {
namespace {

/// Walks the key table and the tree side by side.
class Reader {
 public:
  Reader(PathAnchors anchors, const std::vector<ModelListing>& models, Complaints& complaints)
      : anchors_(std::move(anchors)), models_(models), complaints_(complaints) {}

  RunConfig read(const YamlNode& root) {
    Section top(root, "", complaints_);
    read_section(top);
    return std::move(config_);
  }

 private:
  void read_section(Section& section) {
    for (const Key* key : keys_below(section.path())) {
      const std::string name(last_step(key->path));
      if (key->required)
        section.require(name, key->path == "schema_version" ? "Write schema_version: 1"
                                                            : "List the models: models: [PATH, ...]");
      if (const YamlNode* node = section.find(name)) read_key(*key, *node, section);
    }
    section.close(advice_for);
  }

  void read_key(const Key& key, const YamlNode& node, Section& parent) {
    if (key.path == "sweep") return;  // it makes several runs, and is none of one
    switch (key.type) {
      case KeyType::questions:
        read_questions(key, node);
        return;
      case KeyType::question:
        key.set(config_, true);
        [[fallthrough]];
      case KeyType::section: {
        Section section(node, key.path, complaints_);
        read_section(section);
        return;
      }
      case KeyType::models:
        config_.models = models_;
        return;
      default:
        if (const KeyValue value = read_value(key, node, parent); valid_) key.set(config_, value);
    }
  }

  void read_questions(const Key& key, const YamlNode& node) {
    if (node.kind == YamlNode::Kind::list || node.kind == YamlNode::Kind::scalar) {
      complaints_.add(
          node.at, key.path,
          fmt::format("{} is {}; it must be a mapping: name: {{options}}", key.path, name_of(node.kind)));
      return;
    }
    if (node.keys.empty()) {
      complaints_.add(
          node.at, key.path,
          fmt::format("{} is empty, so nothing would run. Name some, or remove the key", key.path));
      return;
    }
    if (!node.at.argument.empty() && node.keys.size() < keys_below(key.path).size()) {
      std::vector<std::string> names;
      for (const YamlKey& name : node.keys) names.push_back(shown(name.text));
      complaints_.note(
          node.at, fmt::format("{} names only {}; the others do not run", key.path, fmt::join(names, ", ")));
    }
    key.set(config_, true);
    Section section(node, key.path, complaints_);
    read_section(section);
  }

  /// Sets valid_; the value means nothing after a problem.
  KeyValue read_value(const Key& key, const YamlNode& node, Section& parent) {
    valid_ = true;
    const auto checked = [this](auto value) -> KeyValue {
      valid_ = value.has_value();
      if (!valid_) return std::monostate{};
      return std::move(*value);
    };
    switch (key.type) {
      case KeyType::boolean:
        return checked(read_bool(node, key.path, complaints_));
      case KeyType::integer:
        return read_whole_number(key, node);
      case KeyType::real:
        return checked(
            read_real(node, key.path, complaints_, {key.lowest_real, key.highest_real, key.reason}));
      case KeyType::choice:
        return checked(read_choice(node, key.path, complaints_, key.choices));
      case KeyType::duration:
        return checked(read_duration(node, key.path, complaints_, key.lowest, key.highest));
      case KeyType::size:
      case KeyType::size_or_auto: {
        const bool automatic =
            key.type == KeyType::size_or_auto && node.kind == YamlNode::Kind::scalar && node.text == "auto";
        if (automatic) return std::monostate{};
        const auto bytes = read_size(node, key.path, complaints_, static_cast<std::uint64_t>(key.lowest),
                                     static_cast<std::uint64_t>(key.highest));
        return checked(bytes ? std::optional(static_cast<std::int64_t>(*bytes)) : std::nullopt);
      }
      case KeyType::word_or_path:
        if (std::find(key.choices.begin(), key.choices.end(), node.text) != key.choices.end())
          return node.text;
        [[fallthrough]];
      case KeyType::input_path: {
        std::string path = read_input_path(node, key.path, anchors_, complaints_);
        valid_ = !path.empty();
        return path;
      }
      case KeyType::input_paths:
        return read_paths(key, node);
      case KeyType::texts:
        return checked(read_texts(node, key.path, complaints_));
      case KeyType::output_path: {
        const auto text = read_text(node, key.path, complaints_);
        if (!text) return checked(text);
        const ExpandedPath expanded = expand_path(*text, anchors_.environment);
        valid_ = expanded.problem.empty();
        if (!valid_) parent.complain(last_step(key.path), fmt::format("{}: {}", key.path, expanded.problem));
        return expanded.path;
      }
      case KeyType::moment: {
        const auto text = read_text(node, key.path, complaints_);
        valid_ = text && moment_from(*text);
        if (text && !valid_)
          parent.complain(last_step(key.path), fmt::format("{} = {} is no moment: write {}", key.path,
                                                           shown(*text), moment_forms));
        return text.value_or("");
      }
      case KeyType::identifier: {
        const auto text = read_text(node, key.path, complaints_);
        valid_ = text && is_run_name(*text);
        if (text && !valid_) {
          parent.complain(
              last_step(key.path),
              fmt::format("{} = {} is not a file name of at most 64 letters, digits and ._- that begins "
                          "with a letter or digit",
                          key.path, shown(*text)));
        }
        return checked(valid_ ? text : std::nullopt);
      }
      default:
        return checked(read_text(node, key.path, complaints_));
    }
  }

  KeyValue read_whole_number(const Key& key, const YamlNode& node) {
    const bool version = key.path == "schema_version";
    const auto value = read_integer(node, key.path, complaints_,
                                    {key.lowest, version ? INT64_MAX : key.highest, key.reason});
    valid_ = value.has_value();
    if (version && valid_ && *value > key.highest) {
      complaints_.add(
          node.at, key.path,
          fmt::format("schema_version {} is newer than this program knows ({}). Update Stemma, or see "
                      "CHANGELOG",
                      *value, key.highest));
      valid_ = false;
    }
    return value.value_or(0);
  }

  KeyValue read_paths(const Key& key, const YamlNode& node) {
    std::vector<std::string> paths;
    const bool many = node.kind == YamlNode::Kind::list;
    const std::size_t count = many ? node.values.size() : 1;
    for (std::size_t i = 0; i < count; ++i) {
      const YamlNode& item = many ? node.values[i] : node;
      paths.push_back(
          read_input_path(item, many ? fmt::format("{}[{}]", key.path, i) : key.path, anchors_, complaints_));
      valid_ = valid_ && !paths.back().empty();
    }
    return paths;
  }

  PathAnchors anchors_;
  const std::vector<ModelListing>& models_;
  Complaints& complaints_;
  RunConfig config_;
  bool valid_ = true;
};

/// A list of pairs goes with the choice of listed pairs, and only with it.
void check_list(const YamlNode* section, std::string_view name, bool listed, Complaints& complaints) {
  const YamlNode* list = section ? section->find("list") : nullptr;
  const YamlNode* pairs = section ? section->find("pairs") : nullptr;
  const std::string key = fmt::format("{}.list", name);
  if (pairs && listed && !list) {
    complaints.add(pairs->at, key,
                   fmt::format("{0}.pairs = listed needs {0}.list, a TSV with columns a and b", name));
  } else if (!listed && list) {
    complaints.add(list->at, key, fmt::format("{0}.list is only read with {0}.pairs: listed", name));
  }
}

/// What only shows when several keys are looked at together.
void check_together(const YamlNode& root, RunConfig& config, Complaints& complaints) {
  const YamlNode* compare = root.find("compare");
  const YamlNode* tests = compare ? compare->find("tests") : nullptr;
  const YamlNode* analyzers = root.find("analyzers");
  for (auto test = config.compare.tests.begin(); test != config.compare.tests.end();) {
    if (config.analyzers.contains(test->first)) {
      ++test;
      continue;
    }
    if (tests) {
      const auto named = std::find_if(tests->keys.begin(), tests->keys.end(),
                                      [&](const YamlKey& key) { return key.text == test->first; });
      const Place at = named != tests->keys.end() ? named->at : tests->at;
      complaints.add(
          at, "compare.tests." + test->first,
          fmt::format("compare.tests.{0} needs the analyzer {0}, which analyzers ({1}) leaves out. Add it "
                      "there, or remove the test",
                      test->first, printed(analyzers->at, complaints.file())));
      ++test;
    } else {
      test = config.compare.tests.erase(test);
    }
  }
  check_list(compare, "compare", config.compare.pairs == Pairs::listed, complaints);
  check_list(root.find("trace"), "trace", config.trace.pairs == TracedPairs::listed, complaints);
}

void name_the_run(const std::string& file, RunConfig& config, Complaints& complaints) {
  if (config.name.empty()) {
    config.name = std::filesystem::path(file).stem().string();
    if (!is_run_name(config.name)) {
      complaints.add({}, "name",
                     fmt::format("the file's name, {}, cannot name the run. Set name", shown(config.name)));
    }
  }
  constexpr std::string_view field = "{name}";
  for (std::size_t at = config.output.find(field); at != std::string::npos;
       at = config.output.find(field, at + config.name.size())) {
    config.output.replace(at, field.size(), config.name);
  }
}

}  // namespace

RunConfig config_of(const YamlNode& root, const std::string& file, const Environment& environment,
                    const std::vector<ModelListing>& models, Complaints& complaints) {
  RunConfig config = Reader({directory_of(file), environment}, models, complaints).read(root);
  check_together(root, config, complaints);
  const bool name_is_wrong = config.name.empty() && root.find("name") != nullptr;
  if (!name_is_wrong) name_the_run(file, config, complaints);
  return config;
}

void write_out_questions(YamlNode& root, std::string_view changed, const Place& at) {
  for (const Key& key : key_table()) {
    if (key.type != KeyType::questions || !changed.starts_with(key.path + ".")) continue;
    YamlNode* node = &root;
    for (std::string_view rest = key.path; !rest.empty();) {
      const std::string_view step = rest.substr(0, rest.find('.'));
      rest.remove_prefix(std::min(rest.size(), step.size() + 1));
      if (node->kind != YamlNode::Kind::null && node->kind != YamlNode::Kind::mapping) return;
      const auto known = std::ranges::find(node->keys, step, &YamlKey::text);
      if (known != node->keys.end()) {
        node = &node->values[static_cast<std::size_t>(known - node->keys.begin())];
        continue;
      }
      node->kind = YamlNode::Kind::mapping;
      node->keys.push_back({std::string(step), at});
      node = &node->values.emplace_back();
      node->at = at;
    }
    if (node->kind != YamlNode::Kind::null) return;  // the user's own set
    node->kind = YamlNode::Kind::mapping;
    for (const Key* question : keys_below(key.path)) {
      node->keys.push_back({std::string(last_step(question->path)), at});
      node->values.emplace_back().at = at;
    }
  }
}

}  // namespace stemma
