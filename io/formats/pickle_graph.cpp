// Nodes of 16 bytes; items of all containers lie in one list.
#include "io/formats/pickle_graph.hpp"

namespace stemma {
namespace {

constexpr std::int64_t small_integers = 256;
constexpr PickleRef first_small_integer = PickleGraph::empty_tuple + 1;

}  // namespace

PickleGraph::PickleGraph(std::vector<char> stream) : stream_(std::move(stream)) {
  add(PickleKind::none, 0, 0);
  add(PickleKind::boolean, 0, 0);
  add(PickleKind::boolean, 0, 1);
  add(PickleKind::tuple, 0, 0);
  for (std::int64_t i = 0; i < small_integers; ++i)
    add(PickleKind::integer, 0, static_cast<std::uint64_t>(i));
}

std::optional<std::int64_t> PickleGraph::integer(PickleRef ref) const {
  if (kind(ref) != PickleKind::integer && kind(ref) != PickleKind::boolean) return std::nullopt;
  return static_cast<std::int64_t>(nodes_[ref].value);
}

std::optional<std::string_view> PickleGraph::text(PickleRef ref) const {
  if (kind(ref) != PickleKind::string) return std::nullopt;
  return stream().substr(nodes_[ref].value, nodes_[ref].count);
}

std::span<const PickleRef> PickleGraph::tuple(PickleRef ref) const {
  if (kind(ref) != PickleKind::tuple) return {};
  return std::span(items_).subspan(nodes_[ref].value, nodes_[ref].count);
}

std::vector<PickleRef> PickleGraph::items(PickleRef ref) const {
  std::vector<PickleRef> out;
  switch (kind(ref)) {
    case PickleKind::tuple: {
      const auto all = tuple(ref);
      out.assign(all.begin(), all.end());
      break;
    }
    case PickleKind::list:
    case PickleKind::dict:
    case PickleKind::set:
      out.reserve(nodes_[ref].count);
      for (auto run = static_cast<std::uint32_t>(nodes_[ref].value); run != 0; run = runs_[run - 1].next) {
        const auto part = std::span(items_).subspan(runs_[run - 1].begin, runs_[run - 1].count);
        out.insert(out.end(), part.begin(), part.end());
      }
      break;
    default:
      break;
  }
  handed_out_ += out.size();
  return out;
}

PickleRef PickleGraph::add_integer(std::int64_t value) {
  if (value >= 0 && value < small_integers) return first_small_integer + static_cast<PickleRef>(value);
  return add(PickleKind::integer, 0, static_cast<std::uint64_t>(value));
}

PickleRef PickleGraph::add_real() { return add(PickleKind::real, 0, 0); }

PickleRef PickleGraph::add_text(PickleKind kind, std::string_view text) {
  return add(kind, static_cast<std::uint32_t>(text.size()),
             static_cast<std::uint64_t>(text.data() - stream_.data()));
}

PickleRef PickleGraph::add_tuple(std::span<const PickleRef> items) {
  if (items.empty()) return empty_tuple;
  const std::uint64_t begin = items_.size();
  items_.insert(items_.end(), items.begin(), items.end());
  return add(PickleKind::tuple, static_cast<std::uint32_t>(items.size()), begin);
}

void PickleGraph::append(PickleRef container, std::span<const PickleRef> items) {
  if (items.empty()) return;
  Node& node = nodes_[container];
  const auto begin = static_cast<std::uint32_t>(items_.size()),
             count = static_cast<std::uint32_t>(items.size());
  items_.insert(items_.end(), items.begin(), items.end());
  node.count += count;
  const auto last = static_cast<std::uint32_t>(node.value >> 32U);
  if (last != 0 && runs_[last - 1].begin + runs_[last - 1].count == begin) {
    runs_[last - 1].count += count;
    return;
  }
  runs_.push_back({begin, count, 0});
  const auto mine = static_cast<std::uint32_t>(runs_.size());
  if (last != 0) runs_[last - 1].next = mine;
  const std::uint64_t first = last == 0 ? mine : node.value & 0xFFFF'FFFFU;
  node.value = first | std::uint64_t{mine} << 32U;
}

PickleRef PickleGraph::add(PickleKind kind, std::uint32_t count, std::uint64_t value) {
  nodes_.push_back({value, count, kind});
  return static_cast<PickleRef>(nodes_.size() - 1);
}

std::uint32_t PickleGraph::index_of(std::string_view name) {
  const auto [known, is_new] =
      by_name_.try_emplace(std::string(name), static_cast<std::uint32_t>(names_.size()));
  if (is_new) names_.push_back({std::string(name), global_named(name)});
  return known->second;
}

}  // namespace stemma
