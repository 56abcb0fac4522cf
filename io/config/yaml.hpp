// What does a YAML text say, with the place of every value, and without anything that two readers read
// differently?
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/config/complaints.hpp"

namespace stemma {

struct YamlKey {
  std::string text;
  Place at;
};

/// A value as text: nobody has decided yet whether "1e5" is a number. Keys of a mapping are unique.
struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, list, mapping };

  Kind kind = Kind::null;
  std::string text;     ///< of a scalar
  bool quoted = false;  ///< "x", 'x' or a block scalar: certainly text
  bool comment_follows =
      false;  ///< an unquoted scalar with " #" behind it, which may have been meant as part of it
  Place at;
  std::vector<YamlKey> keys;     ///< of a mapping; keys[i] names values[i]
  std::vector<YamlNode> values;  ///< items of a list, values of a mapping

  const YamlNode* find(std::string_view key) const;
};

/// "a text", "a list", "a mapping", "empty": for messages.
std::string_view name_of(YamlNode::Kind kind);

struct YamlLimits {
  std::size_t bytes = std::size_t{1} << 20;
  int depth = 32;
  std::size_t nodes = 100'000;
};

/// Reads one document. Refused, each with its place: anchors, aliases, tags, merge keys, duplicate keys, keys
/// that are not scalars, a second document, tabs that indent, invalid UTF-8, and what exceeds the limits.
/// nullopt when the text is not YAML at all; after other refusals the rest of the tree is returned, so that
/// reading can go on and show all problems together. An empty text is a null node.
std::optional<YamlNode> parse_yaml(std::string_view text, Complaints& complaints,
                                   const YamlLimits& limits = {});

/// The bytes of a regular file of at most `limit` bytes; otherwise a problem and nullopt.
std::optional<std::string> read_text_file(const std::string& file, std::size_t limit, Complaints& complaints);

}  // namespace stemma
