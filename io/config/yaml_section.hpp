// Which keys does a mapping have, of which type, and which of them did nobody ask for?
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/config/yaml_values.hpp"

namespace stemma {

/// A view of one mapping that collects problems instead of throwing. Every key that is asked for is a known
/// key; close() complains about the others and proposes the nearest known one. The node and the complaints
/// must outlive the section.
///
///   Complaints complaints(file);
///   auto root = parse_yaml(text, complaints);
///   if (root) {
///     Section top(*root, "", complaints);
///     top.require("family");
///     auto family = top.text("family");
///     if (auto rope = top.section("rope")) { ...; rope->close(); }
///     top.close();
///   }
///   complaints.raise_if_any();
class Section {
 public:
  /// `path` is the dotted key of the mapping itself, "" for the root. Null reads as an empty mapping;
  /// anything else is one problem and reads as an empty mapping too.
  Section(const YamlNode& node, std::string path, Complaints& complaints);

  // Reads of one key: nullopt (nullptr) when it is absent, or wrong, which has then been noted.
  const YamlNode* find(std::string_view key);
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key, const IntegerBounds& bounds = {});
  std::optional<double> real(std::string_view key, const RealBounds& bounds = {});
  std::optional<std::string> text(std::string_view key);
  std::optional<std::vector<std::string>> texts(std::string_view key);  ///< a text or a list of texts
  std::optional<std::string> choice(std::string_view key, const std::vector<std::string>& choices);
  std::optional<Section> section(std::string_view key);
  /// Items of a list; empty when absent or not a list. items[i] is named path_of(key) + "[i]".
  const std::vector<YamlNode>& list(std::string_view key);

  /// Notes a problem when the key is absent.
  void require(std::string_view key, std::string_view suggestion = "");
  /// Notes a problem at the key (at the section when the key is absent).
  void complain(std::string_view key, const std::string& message);

  bool has(std::string_view key) const { return node_->find(key) != nullptr; }
  const std::vector<YamlKey>& keys() const { return node_->keys; }  ///< in the order of the file
  const Place& place_of(std::string_view key) const;  ///< of the key itself; of the section when absent
  std::string path_of(std::string_view key) const;    ///< dotted
  const std::string& path() const { return path_; }
  const Place& at() const { return node_->at; }
  Complaints& complaints() { return *complaints_; }

  /// What to say about an unknown key, asked before the nearest known one is looked for; "" for nothing to
  /// say.
  using Advice = std::function<std::string(const std::string& path)>;
  /// Complains about every key that was not asked for. Call it once, after all reads.
  void close(const Advice& advice = {});

 private:
  const YamlNode* node_;
  bool refused_ = false;  ///< it is no mapping, which has been said
  std::string path_;
  Complaints* complaints_;
  std::vector<std::string> known_;
};

/// The candidate within Damerau-Levenshtein distance 2, or a third of the word's length if that is more, of
/// which more than half stays as it is; nullopt when there is none. Ties go to the first.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace stemma
