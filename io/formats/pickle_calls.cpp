// Dicts and tensors come out of calls; everything else that calls make is opaque.
#include "io/formats/pickle_calls.hpp"

#include <algorithm>

#include "io/formats/pickle_globals.hpp"

namespace stemma {
namespace {

/// A dict from pairs; nothing when an item is none.
std::optional<std::vector<PickleRef>> pairs_of(const PickleGraph& graph, PickleRef list) {
  std::vector<PickleRef> out;
  for (const PickleRef item : graph.items(list)) {
    if (graph.kind(item) == PickleKind::dict || graph.size(item) != 2) return std::nullopt;
    const std::vector<PickleRef> pair = graph.items(item);
    if (pair.size() != 2) return std::nullopt;
    out.insert(out.end(), pair.begin(), pair.end());
  }
  return out;
}

PickleRef new_dict(PickleGraph& graph, std::span<const PickleRef> arguments, const std::string& name) {
  if (arguments.size() > 1) return graph.add_opaque(name);
  std::optional<std::vector<PickleRef>> pairs = std::vector<PickleRef>{};
  if (arguments.size() == 1) {
    const PickleKind kind = graph.kind(arguments[0]);
    if (kind == PickleKind::dict)
      pairs = graph.items(arguments[0]);
    else if (kind == PickleKind::list || kind == PickleKind::tuple)
      pairs = pairs_of(graph, arguments[0]);
    else
      pairs.reset();
  }
  if (!pairs) return graph.add_opaque(name);
  const PickleRef dict = graph.add_container(PickleKind::dict);
  graph.append(dict, *pairs);
  return dict;
}

PickleRef new_set(PickleGraph& graph, std::span<const PickleRef> arguments) {
  const std::vector<PickleRef> items =
      arguments.empty() ? std::vector<PickleRef>{} : graph.items(arguments[0]);
  const PickleRef set = graph.add_container(PickleKind::set);
  graph.append(set, items);
  return set;
}

bool rebuilds_tensor(const PickleGraph& graph, PickleRef callable) {
  if (graph.kind(callable) != PickleKind::global) return false;
  const GlobalKind kind = graph.meaning(callable).kind;
  return kind == GlobalKind::rebuild_tensor || kind == GlobalKind::rebuild_tensor_v3;
}

}  // namespace

PickleRef pickle_call(PickleGraph& graph, PickleRef callable, PickleRef arguments) {
  const bool named = graph.kind(callable) == PickleKind::global || graph.kind(callable) == PickleKind::opaque;
  const std::string name = named ? graph.name(callable) : "?";
  if (graph.kind(callable) != PickleKind::global) return graph.add_opaque(name);
  // A copy: making values moves the items of the graph.
  const std::span<const PickleRef> items = graph.tuple(arguments);
  const std::vector<PickleRef> given(items.begin(), items.end());
  switch (graph.meaning(callable).kind) {
    case GlobalKind::dict:
      return new_dict(graph, given, name);
    case GlobalKind::set:
      return new_set(graph, given);
    case GlobalKind::shape:
      if (given.size() == 1 && graph.kind(given[0]) == PickleKind::tuple) return given[0];
      break;
    case GlobalKind::rebuild_tensor:
    case GlobalKind::rebuild_tensor_v3:
      return graph.add_tensor(arguments, name);
    case GlobalKind::rebuild_parameter:
      if (!given.empty() && graph.kind(given[0]) == PickleKind::tensor) return given[0];
      break;
    case GlobalKind::rebuild_from_type:
      if (given.size() == 4 && rebuilds_tensor(graph, given[0]) && graph.kind(given[2]) == PickleKind::tuple)
        return graph.add_tensor(given[2], std::string(graph.name(given[0])));
      break;
    default:
      break;
  }
  return graph.add_opaque(name);
}

PickleRef pickle_object(PickleGraph& graph, PickleRef type) {
  const bool named = graph.kind(type) == PickleKind::global || graph.kind(type) == PickleKind::opaque;
  const std::string name = named ? graph.name(type) : "?";
  if (graph.kind(type) == PickleKind::global) {
    const GlobalKind kind = graph.meaning(type).kind;
    if (kind == GlobalKind::dict) return graph.add_container(PickleKind::dict);
    if (kind == GlobalKind::set) return graph.add_container(PickleKind::set);
  }
  return graph.add_opaque(name);
}

bool is_storage_id(const PickleGraph& graph, PickleRef id) {
  const std::span<const PickleRef> items = graph.tuple(id);
  if (items.size() != 5 || graph.text(items[0]) != "storage" || graph.kind(items[1]) != PickleKind::global)
    return false;
  const auto elements = graph.integer(items[4]);
  const GlobalKind kind = graph.meaning(items[1]).kind;
  return (kind == GlobalKind::storage || kind == GlobalKind::other_storage) && graph.text(items[2]) &&
         graph.text(items[3]) && elements && *elements >= 0;
}

}  // namespace stemma
