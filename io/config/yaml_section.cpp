// Whoever asks for a key marks it; what is left over at the end is unknown.
#include "io/config/yaml_section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stemma {
namespace {

const YamlNode empty_mapping = [] {
  YamlNode node;
  node.kind = YamlNode::Kind::mapping;
  return node;
}();
const std::vector<YamlNode> no_items;

/// Optimal string alignment: insertions, deletions, substitutions and exchanges of neighbours cost 1 each.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitution = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, substitution});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    before_last.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

Section::Section(const YamlNode& node, std::string path, Complaints& complaints)
    : node_(&node), path_(std::move(path)), complaints_(&complaints) {
  if (node.kind == YamlNode::Kind::mapping || node.kind == YamlNode::Kind::null) return;
  const std::string name = path_.empty() ? "the file" : path_;
  complaints.add(node.at, path_,
                 fmt::format("{} is {}; it must be a mapping: key: value", name, name_of(node.kind)));
  node_ = &empty_mapping;
  refused_ = true;
}

const YamlNode* Section::find(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  return node_->find(key);
}

std::optional<bool> Section::boolean(std::string_view key) {
  const YamlNode* node = find(key);
  return node ? read_bool(*node, path_of(key), *complaints_) : std::nullopt;
}
std::optional<std::int64_t> Section::integer(std::string_view key, const IntegerBounds& bounds) {
  const YamlNode* node = find(key);
  return node ? read_integer(*node, path_of(key), *complaints_, bounds) : std::nullopt;
}
std::optional<double> Section::real(std::string_view key, const RealBounds& bounds) {
  const YamlNode* node = find(key);
  return node ? read_real(*node, path_of(key), *complaints_, bounds) : std::nullopt;
}
std::optional<std::string> Section::text(std::string_view key) {
  const YamlNode* node = find(key);
  return node ? read_text(*node, path_of(key), *complaints_) : std::nullopt;
}
std::optional<std::vector<std::string>> Section::texts(std::string_view key) {
  const YamlNode* node = find(key);
  return node ? read_texts(*node, path_of(key), *complaints_) : std::nullopt;
}
std::optional<std::string> Section::choice(std::string_view key, const std::vector<std::string>& choices) {
  const YamlNode* node = find(key);
  return node ? read_choice(*node, path_of(key), *complaints_, choices) : std::nullopt;
}

std::optional<Section> Section::section(std::string_view key) {
  const YamlNode* node = find(key);
  if (!node) return std::nullopt;
  return Section(*node, path_of(key), *complaints_);
}

const std::vector<YamlNode>& Section::list(std::string_view key) {
  const YamlNode* node = find(key);
  if (!node) return no_items;
  if (node->kind == YamlNode::Kind::list) return node->values;
  complain(key, fmt::format("{} is {}; it must be a list", path_of(key), name_of(node->kind)));
  return no_items;
}

void Section::require(std::string_view key, std::string_view suggestion) {
  if (find(key) || refused_) return;
  std::string message = path_of(key) + " is missing";
  if (!suggestion.empty()) message += fmt::format(". {}", suggestion);
  complaints_->add(node_->at, path_of(key), std::move(message));
}

void Section::complain(std::string_view key, const std::string& message) {
  const YamlNode* node = node_->find(key);
  complaints_->add(node ? node->at : node_->at, path_of(key), message);
}

const Place& Section::place_of(std::string_view key) const {
  for (const YamlKey& candidate : node_->keys) {
    if (candidate.text == key) return candidate.at;
  }
  return node_->at;
}

std::string Section::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

void Section::close(const Advice& advice) {
  for (const YamlKey& key : node_->keys) {
    if (std::find(known_.begin(), known_.end(), key.text) != known_.end()) continue;
    const std::string path = path_of(key.text);
    std::string message = advice ? advice(path) : "";
    if (message.empty()) {
      message = fmt::format("{} is not a known key", shown(path));
      if (const auto close_one = nearest(key.text, known_)) {
        message += fmt::format(". Did you mean {}?", *close_one);
      } else if (!known_.empty()) {
        std::vector<std::string> names = known_;
        std::sort(names.begin(), names.end());
        message += fmt::format(". Known here: {}", fmt::join(names, ", "));
      } else if (!path_.empty()) {
        message += fmt::format(". {0} has no keys: write {0}: {{}}", path_);
      }
    }
    complaints_->add(key.at, path, std::move(message));
  }
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.empty() || word.size() > 200) return std::nullopt;
  const std::size_t allowed = std::max<std::size_t>(2, word.size() / 3);
  std::optional<std::string> best;
  std::size_t best_distance = allowed + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    // Any two words of four letters are within a few edits: more than half of the letters must stay.
    if (distance < best_distance && 2 * distance < std::max(word.size(), candidate.size())) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace stemma
