// What owns what is read once for each table, and turned round.
#include "io/archive/source_rows.hpp"

#include <stdexcept>

namespace stemma {

void append(std::vector<RowRange>& ranges, RowRange next) {
  if (next.count == 0) return;
  if (!ranges.empty() && ranges.back().end() == next.first)
    ranges.back().count += next.count;
  else
    ranges.push_back(next);
}

std::uint64_t SourceRows::extent(const std::string& dimension) const { return table_.rows(dimension); }

const SourceRows::ByOwner& SourceRows::by_owner(const layout::RowKind& kind) const {
  const auto [found, fresh] = by_owner_.try_emplace(kind.dimension);
  ByOwner& rows = found->second;
  if (!fresh) return rows;
  rows.rows.resize(extent(kind.owner));
  if (!kind.start.empty()) {
    const auto first = table_.read<std::uint64_t>(kind.start);
    const auto length = table_.read<std::uint32_t>(kind.length);
    for (std::size_t owner = 0; owner < first.size(); ++owner)
      if (first[owner] != ~std::uint64_t{0}) append(rows.rows[owner], {first[owner], length[owner]});
    return rows;
  }
  const auto owners = table_.read<std::uint32_t>(kind.owner_columns.at(0));
  for (std::uint64_t row = 0; row < owners.size(); ++row)
    append(owners[row] == no_row ? rows.unowned : rows.rows.at(owners[row]), {row, 1});
  return rows;
}

const std::vector<RowRange>& SourceRows::owned(const layout::RowKind& kind, std::uint64_t owner) const {
  return by_owner(kind).rows.at(owner);
}

std::vector<RowRange> SourceRows::unowned(const layout::RowKind& kind) const {
  if (kind.owner_columns.size() != 1 || !kind.start.empty()) return {};
  return by_owner(kind).unowned;
}

std::vector<RowRange> SourceRows::below(const std::string& root, std::uint64_t row,
                                        const layout::RowKind& kind) const {
  if (kind.dimension == root) return {{row, 1}};
  if (!layout::belongs_to(kind, root)) throw std::logic_error(kind.dimension + " belongs to no " + root);
  std::vector<RowRange> rows;
  for (const RowRange& owners : below(root, row, layout::row_kind(kind.owner)))
    for (std::uint64_t owner = owners.first; owner < owners.end(); ++owner)
      for (const RowRange& range : owned(kind, owner)) append(rows, range);
  return rows;
}

}  // namespace stemma
