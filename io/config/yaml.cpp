// yaml-cpp parses; what two readers would read differently is refused here, with its place.
#include "io/config/yaml.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "io/config/presence.hpp"
#include "io/config/yaml_syntax.hpp"

namespace stemma {
namespace {

struct LimitExceeded {};

/// Builds our own tree from the parser's events, so that nothing that was written is lost on the way.
/// yaml-cpp's own tree keeps both of two equal keys and expands nested aliases without bound.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, Complaints& complaints, const YamlLimits& limits)
      : text_(text), complaints_(complaints), limits_(limits) {}

  YamlNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    complain(place(mark),
             fmt::format("&{} is an anchor, and anchors are not read (they hide what a file says). "
                         "Write the value out where it is used, or quote it",
                         shown(name)));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    complain(place(mark),
             "the value begins with *, which YAML reads as an alias. Write the value out, or quote it");
    YamlNode node;
    node.at = place(mark);
    deliver(std::move(node));
  }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    YamlNode node;
    node.at = !stack_.empty() && stack_.back().has_key ? stack_.back().node.keys.back().at : place(mark);
    deliver(std::move(node));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    refuse_tag(mark, tag);
    YamlNode node;
    node.kind = YamlNode::Kind::scalar;
    node.text = value;
    node.quoted = tag != "?";
    refuse_open_quote(mark);
    node.comment_follows = !node.quoted && comment_behind(offset(mark), value);
    node.at = place(mark);
    deliver(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(YamlNode::Kind::list, mark);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(YamlNode::Kind::mapping, mark);
  }
  void OnMapEnd() override { close(); }

 private:
  /// A collection that is still being filled. A mapping alternates between keys and values; a refused key is
  /// kept as "" until its value has gone by.
  struct Open {
    YamlNode node;
    bool has_key = false;
    bool drop_value = false;
    std::unordered_map<std::string, int> line_of_key = {};
  };

  std::size_t offset(const YAML::Mark& mark) const {
    return std::min(text_.size(), static_cast<std::size_t>(std::max(0, mark.pos)));
  }
  /// Columns of the parser count bytes; editors count characters. Events come in ascending order, so counting
  /// goes on from the last place in the same line: a file of one long line stays cheap.
  Place place(const YAML::Mark& mark) {
    const std::size_t at = offset(mark);
    const std::size_t start = at - std::min(at, static_cast<std::size_t>(std::max(0, mark.column)));
    if (counted_to_ < start || counted_to_ > at) {
      counted_to_ = start;
      characters_ = 0;
    }
    for (; counted_to_ < at; ++counted_to_) {
      if ((static_cast<unsigned char>(text_[counted_to_]) & 0xC0U) != 0x80U) ++characters_;
    }
    return {mark.line + 1, characters_ + 1, {}};
  }
  void complain(const Place& at, std::string message) { complaints_.add(at, "", std::move(message)); }

  bool comment_behind(std::size_t at, const std::string& value) const {
    if (text_.substr(at, value.size()) != value) return false;
    const std::string_view rest = text_.substr(at + value.size());
    const std::size_t next = rest.find_first_not_of(" \t");
    return next != std::string_view::npos && next > 0 && rest[next] == '#';
  }

  /// The parser takes the rest of the file for text when a quote is never closed.
  void refuse_open_quote(const YAML::Mark& mark) {
    const std::size_t at = offset(mark);
    if (at >= text_.size() || (text_[at] != '"' && text_[at] != '\'')) return;
    const char quote = text_[at];
    std::size_t end = at + 1;
    while (end < text_.size()) {
      const bool doubled = quote == '\'' && text_.substr(end, 2) == "''";  // stands for one
      const bool escaped = quote == '"' && text_[end] == '\\';
      if (text_[end] == quote && !doubled) return;
      end += doubled || escaped ? 2 : 1;
    }
    complain(place(mark),
             fmt::format("the quote {} that begins here is never closed, so the rest of the file "
                         "belongs to it. Close it",
                         quote));
    throw LimitExceeded{};
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    const std::size_t at = offset(mark);
    const bool written = at < text_.size() && text_[at] == '!';
    if (written || (tag != "?" && tag != "!" && !tag.empty())) {
      complain(place(mark), fmt::format("{} is a tag, and tags are not read. Remove it, or quote the value",
                                        written ? shown(text_.substr(at, text_.find_first_of(" \n", at) - at))
                                                : shown(tag)));
    }
  }

  void count(const Place& at) {
    if (++nodes_ > limits_.nodes) {
      complain(at, fmt::format("the file has more than {} values; that is the limit", limits_.nodes));
      throw LimitExceeded{};
    }
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark) {
    count(place(mark));
    if (static_cast<int>(stack_.size()) >= limits_.depth) {
      complain(place(mark),
               fmt::format("values are nested more than {} deep; that is the limit", limits_.depth));
      throw LimitExceeded{};
    }
    YamlNode node;
    node.kind = kind;
    node.at = place(mark);
    stack_.push_back({std::move(node)});
  }

  void close() {
    YamlNode node = std::move(stack_.back().node);
    stack_.pop_back();
    deliver_counted(std::move(node));
  }

  void deliver(YamlNode node) {
    count(node.at);
    deliver_counted(std::move(node));
  }

  void deliver_counted(YamlNode node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = stack_.back();
    if (parent.node.kind == YamlNode::Kind::list) {
      parent.node.values.push_back(std::move(node));
    } else if (!parent.has_key) {
      take_key(parent, node);
    } else {
      if (parent.drop_value) {
        parent.node.keys.pop_back();
      } else {
        parent.node.values.push_back(std::move(node));
      }
      parent.has_key = parent.drop_value = false;
    }
  }

  void take_key(Open& parent, const YamlNode& key) {
    parent.has_key = true;
    parent.drop_value = true;
    parent.node.keys.push_back({key.text, key.at});
    if (key.kind != YamlNode::Kind::scalar) {
      complain(key.at, fmt::format("a key is {}; keys must be texts", name_of(key.kind)));
    } else if (key.text == "<<" && !key.quoted) {
      complain(key.at,
               "<< is a merge key, and merging is not read (it hides what a file says). Write the keys out");
    } else if (const auto [first, fresh] = parent.line_of_key.emplace(key.text, key.at.line); !fresh) {
      complain(key.at,
               fmt::format("{} is given twice (first in line {}); YAML readers keep one of them silently",
                           shown(key.text), first->second));
    } else {
      parent.drop_value = false;
    }
  }

  std::string_view text_;
  Complaints& complaints_;
  YamlLimits limits_;
  std::size_t nodes_ = 0;
  std::size_t counted_to_ = 0;
  int characters_ = 0;
  std::vector<Open> stack_;
  YamlNode root_;
};

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].text == key) return &values[i];
  }
  return nullptr;
}

std::string_view name_of(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::null:
      return "empty";
    case YamlNode::Kind::scalar:
      return "a single value";
    case YamlNode::Kind::list:
      return "a list";
    case YamlNode::Kind::mapping:
      return "a mapping";
  }
  return "";
}

std::optional<YamlNode> parse_yaml(std::string_view text, Complaints& complaints, const YamlLimits& limits) {
  if (text.size() > limits.bytes) {
    complaints.add({}, "", fmt::format("the file has {} bytes; the limit is {}", text.size(), limits.bytes));
    return std::nullopt;
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (const std::size_t bad = first_bad_byte(text); bad != std::string_view::npos) {
    complaints.add(place_at(text, bad), "", bad_byte_sentence(text, bad, "the file must be"));
    return std::nullopt;
  }
  const std::size_t before = complaints.problems().size();
  complain_about_tabs(text, complaints);
  if (complaints.problems().size() > before) return std::nullopt;

  TreeBuilder tree(text, complaints, limits);
  std::istringstream stream{std::string(text)};
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(tree);
    YamlNode root = tree.take_root();
    if (parser) {
      complaints.add(second_document(text), "",
                     "a second document begins here, and one file holds one. Put it into a file of its own");
    }
    return root;
  } catch (const LimitExceeded&) {
  } catch (const YAML::Exception& refusal) {
    const auto at = static_cast<std::size_t>(std::max(0, refusal.mark.pos));
    complain_about_syntax(text, refusal.mark.is_null() ? text.size() : at, refusal.msg, complaints);
  }
  return std::nullopt;
}

std::optional<std::string> read_text_file(const std::string& file, std::size_t limit,
                                          Complaints& complaints) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  const auto refuse = [&](const std::string& why) -> std::optional<std::string> {
    complaints.add({}, "", why);
    return std::nullopt;
  };
  if (const std::string why = why_absent(file); !why.empty())
    return refuse(why == "does not exist" ? "there is no such file" + advice_on_absent(file) : why);
  if (fs::is_directory(status)) return refuse("this is a directory, and a file is wanted. Name a file in it");
  if (!fs::is_regular_file(status)) return refuse("this is not a regular file");
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return refuse(fmt::format("cannot be read ({})", std::strerror(errno)));
  std::string text(limit + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return refuse("cannot be read to its end");
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > limit)
    return refuse(
        fmt::format("has more than {} bytes, which is the limit. Is it the file you meant?", limit));
  return text;
}

}  // namespace stemma
