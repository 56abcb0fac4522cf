// Owners are placed before what they own, so that the order of models decides every other order.
#include "io/archive/merge_rows.hpp"

#include <algorithm>
#include <numeric>

#include "io/archive/row_values.hpp"

namespace stemma {
namespace {

void append(std::vector<Piece>& pieces, std::size_t source, RowRange rows) {
  if (rows.count == 0) return;
  if (!pieces.empty() && pieces.back().source == source && pieces.back().rows.end() == rows.first)
    pieces.back().rows.count += rows.count;
  else
    pieces.push_back({source, rows});
}

void add_to_key(std::string& key, const RowValues& values) {
  for (const std::string& text : values.texts) key += text + '\0';
  key.append(reinterpret_cast<const char*>(values.bytes.data()), values.bytes.size());
  key += '\0';
}

/// Everything that a row of nobody says, with the pieces that it owns.
std::string key_of(const SourceRows& table, const layout::RowKind& kind, std::uint64_t row) {
  std::string key;
  for (const layout::PlacedColumn& column : kind.columns)
    if (has_content(*column.column)) add_to_key(key, values_of(table, column, {{row, 1}}, 0));
  for (const layout::RowKind& child : layout::row_kinds())
    if (child.owner == kind.dimension && !child.start.empty())
      for (const layout::PlacedColumn& column : child.columns)
        add_to_key(key, values_of(table, column, table.owned(child, row), 0));
  return key;
}

bool is_referred(const std::string& dimension) {
  for (const layout::RowKind& kind : layout::row_kinds())
    for (const layout::PlacedColumn& column : kind.columns)
      if (!column.column->refers.empty() && layout::path_of_referred(*column.column) == dimension)
        return true;
  return false;
}

}  // namespace

MergedRows::MergedRows(const std::vector<MergeSource>& sources, const MergePlan& plan,
                       const SourceRows* new_pairs) {
  for (const MergeSource& source : sources) tables_.push_back(&source.rows());
  if (new_pairs) tables_.push_back(new_pairs);
  place_models(plan, new_pairs != nullptr);
  place_runs(sources);
  for (const layout::RowKind& kind : layout::row_kinds()) {
    if (maps_.contains(kind.dimension)) continue;
    if (kind.owner_columns.size() == 2)
      place_pairs(kind);
    else
      place_owned(kind);
  }
}

std::uint32_t MergedRows::row_of(const std::string& dimension, std::size_t source, std::uint64_t row) const {
  return maps_.at(dimension).at(source).at(row);
}

void MergedRows::place_models(const MergePlan& plan, bool new_pairs) {
  RowMap& map = maps_["model"];
  for (const SourceRows* table : tables_) map.emplace_back(table->extent("model"), no_row);
  if (new_pairs) {  // it names merged models and holds none
    map.back().resize(plan.models.size());
    std::iota(map.back().begin(), map.back().end(), 0U);
  }
  for (std::uint32_t m = 0; m < plan.models.size(); ++m) {
    append(pieces_["model"], plan.models[m].source, {plan.models[m].row, 1});
    for (const auto& [source, row] : plan.models[m].holders) map[source][row] = m;
  }
}

void MergedRows::place_runs(const std::vector<MergeSource>& sources) {
  RowMap& map = maps_["run"];
  std::map<std::string, std::uint32_t> known;
  std::uint32_t next = 0;
  std::vector<Piece>& pieces = pieces_["run"];
  for (std::size_t s = 0; s < tables_.size(); ++s) {
    map.emplace_back(tables_[s]->extent("run"), no_row);
    if (s >= sources.size()) continue;
    const auto uuids = tables_[s]->table().text("provenance/uuid");
    for (std::uint64_t row = 0; row < uuids.size(); ++row) {
      const auto [found, fresh] = known.try_emplace(uuids[row], next);
      if (fresh || uuids[row].empty()) {
        append(pieces, s, {row, 1});
        map[s][row] = next++;
      } else {
        map[s][row] = found->second;
      }
    }
  }
}

void MergedRows::place_pairs(const layout::RowKind& kind) {
  struct Choice {
    Piece piece;
    std::uint64_t owned = 0;  // rows of evidence and traces: what read the weights says more
  };
  std::map<Models, Choice> chosen;
  for (std::size_t s = 0; s < tables_.size(); ++s) {
    const auto a = tables_[s]->table().read<std::uint32_t>(kind.owner_columns[0]);
    const auto b = tables_[s]->table().read<std::uint32_t>(kind.owner_columns[1]);
    std::vector<Models>& models = pair_models_.emplace_back();
    for (std::size_t row = 0; row < a.size(); ++row)
      models.emplace_back(row_of("model", s, a[row]), row_of("model", s, b[row]));
    for (std::uint64_t row = 0; row < tables_[s]->extent(kind.dimension); ++row) {
      Choice choice{{s, {row, 1}}, 0};
      for (const layout::RowKind& child : layout::row_kinds())
        if (child.owner == kind.dimension)
          for (const RowRange& range : tables_[s]->owned(child, row)) choice.owned += range.count;
      const auto [found, fresh] =
          chosen.try_emplace(std::minmax(models[row].first, models[row].second), choice);
      if (fresh) continue;
      ++repeated_pairs_;
      if (choice.owned > found->second.owned) found->second = choice;
    }
  }
  std::vector<Piece>& pieces = pieces_[kind.dimension];
  for (const auto& [models, choice] : chosen) append(pieces, choice.piece.source, choice.piece.rows);
  number(kind.dimension);
}

void MergedRows::unite(const layout::RowKind& kind, std::size_t source, const std::vector<RowRange>& rows,
                       std::map<std::string, Piece>& distinct) const {
  for (const RowRange& range : rows)
    for (std::uint64_t row = range.first; row < range.end(); ++row)
      distinct.try_emplace(key_of(*tables_[source], kind, row), Piece{source, {row, 1}});
}

void MergedRows::place_owned(const layout::RowKind& kind) {
  std::vector<Piece>& pieces = pieces_[kind.dimension];
  std::map<std::string, Piece> distinct;
  for (std::size_t s = 0; s < tables_.size(); ++s)
    unite(kind, s,
          kind.owner.empty() ? std::vector<RowRange>{{0, tables_[s]->extent(kind.dimension)}}
                             : tables_[s]->unowned(kind),
          distinct);
  for (const auto& [key, piece] : distinct) append(pieces, piece.source, piece.rows);
  if (!kind.owner.empty())
    for (const Piece& owners : pieces_.at(kind.owner))
      for (std::uint64_t owner = owners.rows.first; owner < owners.rows.end(); ++owner)
        for (const RowRange& range : tables_[owners.source]->owned(kind, owner))
          append(pieces, owners.source, range);
  number(kind.dimension);
}

void MergedRows::number(const std::string& dimension) {
  RowMap& map = maps_[dimension];
  if (!is_referred(dimension)) return;  // payloads: numbering them would cost as much as they do
  for (const SourceRows* table : tables_) map.emplace_back(table->extent(dimension), no_row);
  std::uint32_t next = 0;
  for (const Piece& piece : pieces_[dimension])
    for (std::uint64_t row = piece.rows.first; row < piece.rows.end(); ++row) map[piece.source][row] = next++;
}

}  // namespace stemma
