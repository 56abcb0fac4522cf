// To which row of which table does a row belong? Read from the layout, so that it holds for every table.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "io/archive/layout.hpp"

namespace stemma::layout {

/// A column with the group that it stands in.
struct PlacedColumn {
  const Group* group = nullptr;
  const Column* column = nullptr;

  std::string path() const { return path_in(*group, column->name); }
};

/// The rows of one table, which is a dimension that grows: who owns them and what they hold.
struct RowKind {
  std::string dimension;  ///< path of its scale
  std::string owner;      ///< dimension of the rows that these belong to, "" for rows of nobody
  /// Index columns that name the owner; two for pairs of models. Empty for pieces of ragged rows.
  std::vector<std::string> owner_columns;
  std::string start, length;          ///< of ragged rows: columns of the owner
  std::vector<PlacedColumn> columns;  ///< whose first dimension this is, those left out that are derived
};

/// Every growing dimension with a column that is not derived, owners before what they own.
const std::vector<RowKind>& row_kinds();
const RowKind& row_kind(const std::string& dimension);

/// Does a row of this kind belong to one row of `root`, directly or through other rows, or is it one? Rows
/// of pairs belong to no model.
bool belongs_to(const RowKind& kind, const std::string& root);
inline bool belongs_to_models(const RowKind& kind) { return belongs_to(kind, "model"); }

}  // namespace stemma::layout
