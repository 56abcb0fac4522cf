// What does a pickle say, as dead values that refer to each other, with nothing imported and nothing called?
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/formats/pickle_globals.hpp"

namespace stemma {

enum class PickleKind : std::uint8_t {
  none,
  boolean,
  integer,
  real,
  bytes,
  string,
  tuple,
  list,
  dict,
  set,
  global,   ///< a name of Python: "collections.OrderedDict"
  storage,  ///< a persistent id: the bytes of tensors, kept elsewhere
  tensor,   ///< a call that would rebuild a tensor
  opaque,   ///< whatever else a call would have made
};

/// Index of a node.
using PickleRef = std::uint32_t;

/// All values of one pickle in one arena. Values may contain each other, and themselves: whoever walks must
/// bound the walk. Texts are kept as bytes of the stream.
class PickleGraph {
 public:
  explicit PickleGraph(std::vector<char> stream);

  PickleKind kind(PickleRef ref) const { return nodes_[ref].kind; }
  /// The value of an integer or boolean.
  std::optional<std::int64_t> integer(PickleRef ref) const;
  /// The text of a string; valid as long as the graph.
  std::optional<std::string_view> text(PickleRef ref) const;
  /// Items of a tuple; empty for whatever is none.
  std::span<const PickleRef> tuple(PickleRef ref) const;
  /// Items of a list or set; keys and values of a dict by turns; items of a tuple.
  std::uint64_t size(PickleRef ref) const { return nodes_[ref].count; }
  std::vector<PickleRef> items(PickleRef ref) const;
  /// "module.name" of a global; of an opaque value, what would have made it.
  const std::string& name(PickleRef ref) const { return names_[nodes_[ref].count].text; }
  /// What the name of a global stands for.
  const Global& meaning(PickleRef ref) const { return names_[nodes_[ref].count].meaning; }
  /// The tuple that a storage or tensor was made from.
  PickleRef arguments(PickleRef ref) const { return nodes_[ref].count; }
  /// What would rebuild a tensor.
  const Global& rebuilder(PickleRef ref) const { return names_[nodes_[ref].value].meaning; }

  std::size_t node_count() const { return nodes_.size(); }
  /// Items that were put into containers, and those that items() handed out: what the graph has cost.
  std::uint64_t work() const { return items_.size() + handed_out_; }
  std::string_view stream() const { return {stream_.data(), stream_.size()}; }

  // Making values. Equal small ones share a node.
  static constexpr PickleRef none = 0, no = 1, yes = 2, empty_tuple = 3;
  PickleRef add_integer(std::int64_t value);
  PickleRef add_real();
  /// `text` is a part of the stream.
  PickleRef add_text(PickleKind kind, std::string_view text);
  PickleRef add_tuple(std::span<const PickleRef> items);
  PickleRef add_container(PickleKind kind) { return add(kind, 0, 0); }
  PickleRef add_global(std::string_view name) { return add(PickleKind::global, index_of(name), 0); }
  PickleRef add_opaque(std::string_view name) { return add(PickleKind::opaque, index_of(name), 0); }
  PickleRef add_storage(PickleRef arguments) { return add(PickleKind::storage, arguments, 0); }
  PickleRef add_tensor(PickleRef arguments, std::string_view rebuilder) {
    return add(PickleKind::tensor, arguments, index_of(rebuilder));
  }
  /// Puts items behind those of a list, set or dict.
  void append(PickleRef container, std::span<const PickleRef> items);

 private:
  /// count: of items, or of bytes, or an index; value: of an integer, or where items or bytes begin.
  struct Node {
    std::uint64_t value;
    std::uint32_t count;
    PickleKind kind;
  };
  struct Name {
    std::string text;
    Global meaning;
  };
  /// Items that were appended together.
  struct Run {
    std::uint32_t begin, count, next;
  };
  PickleRef add(PickleKind kind, std::uint32_t count, std::uint64_t value);
  std::uint32_t index_of(std::string_view name);

  std::vector<char> stream_;
  std::vector<Node> nodes_;
  std::vector<PickleRef> items_;
  std::vector<Run> runs_;  ///< a container's value: first and last run, each plus one, 32 bits each
  std::vector<Name> names_;
  mutable std::uint64_t handed_out_ = 0;
  std::unordered_map<std::string, std::uint32_t> by_name_;
};

}  // namespace stemma
