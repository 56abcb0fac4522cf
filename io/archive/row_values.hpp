// What does a column say about one model, wherever in an archive its rows lie?
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "io/archive/source_rows.hpp"

namespace stemma {

/// Values of some rows of one column, in coordinates that do not depend on the archive.
struct RowValues {
  h5::Type type = h5::Type::u1;
  std::uint64_t width = 1;          ///< numbers in a row
  std::vector<std::byte> bytes;     ///< row-major, little-endian; empty for text
  std::vector<std::string> texts;   ///< of text columns
  std::vector<std::string> labels;  ///< of the second axis where they were found while writing, ascending

  std::uint64_t rows() const;
  bool operator==(const RowValues&) const = default;
};

/// Does the column say something of its own? Those that only hold a table together do not: who owns a row,
/// where its pieces begin, and what follows from other columns.
bool has_content(const layout::Column& column);

/// Rows of a column. References into tables of the same model count from the model's first row there.
RowValues values_of(const SourceRows& source, const layout::PlacedColumn& column,
                    const std::vector<RowRange>& rows, std::uint64_t model);

/// All that the column says about one model.
RowValues values_of_model(const SourceRows& source, const layout::RowKind& kind,
                          const layout::PlacedColumn& column, std::uint64_t model);

}  // namespace stemma
