// An owner is named by an index column that says so, or by a start and a length.
#include "io/archive/ownership.hpp"

#include <algorithm>
#include <stdexcept>

namespace stemma::layout {
namespace {

std::map<std::string, RowKind> unordered_kinds() {
  std::map<std::string, RowKind> kinds;
  for (const Group& group : groups())
    for (const Column& column : group.columns) {
      if (column.dims.empty() || column.derived) continue;
      const PlacedDimension placed = find_dimension(group, column.dims.front());
      if (!placed.dimension->grows()) continue;
      RowKind& kind = kinds[placed.path];
      kind.dimension = placed.path;
      kind.columns.push_back({&group, &column});
      if (column.owner) {
        kind.owner = path_of_referred(column);
        kind.owner_columns.push_back(path_in(group, column.name));
      }
      if (column.starts.empty()) continue;
      RowKind& pieces = kinds[find_dimension(group, column.starts).path];
      pieces.owner = placed.path;
      pieces.start = path_in(group, column.name);
      pieces.length = path_in(group, column.length);
    }
  return kinds;
}

}  // namespace

const std::vector<RowKind>& row_kinds() {
  static const std::vector<RowKind> ordered = [] {
    std::map<std::string, RowKind> rest = unordered_kinds();
    std::vector<RowKind> kinds;
    while (!rest.empty()) {
      const auto next =
          std::ranges::find_if(rest, [&](const auto& entry) { return !rest.contains(entry.second.owner); });
      if (next == rest.end()) throw std::logic_error("rows that own each other");
      kinds.push_back(std::move(next->second));
      rest.erase(next);
    }
    return kinds;
  }();
  return ordered;
}

const RowKind& row_kind(const std::string& dimension) {
  const auto found = std::ranges::find(row_kinds(), dimension, &RowKind::dimension);
  if (found == row_kinds().end()) throw std::logic_error(dimension + " is no dimension of rows");
  return *found;
}

bool belongs_to(const RowKind& kind, const std::string& root) {
  if (kind.dimension == root) return true;
  return kind.owner_columns.size() < 2 && !kind.owner.empty() && belongs_to(row_kind(kind.owner), root);
}

}  // namespace stemma::layout
