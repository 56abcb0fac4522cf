// What does a sheet of models say, row by row?
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/config/complaints.hpp"

namespace stemma {

/// One row; cells of known columns by name, absent when empty.
struct SheetRow {
  int line = 0;
  std::size_t cells = 0;
  std::map<std::string, std::string> known;
  std::map<std::string, std::string> further;  ///< columns that Stemma does not know, kept for the report
};

/// Columns with a meaning, in the order in which they are documented.
struct SheetColumn {
  std::string_view name;
  std::string_view meaning;
};
const std::vector<SheetColumn>& sheet_columns();

struct SheetLimits {
  std::size_t bytes = std::size_t{64} << 20;
  std::size_t rows = 1'000'000;
  std::size_t cell_bytes = std::size_t{64} << 10;
};

/// Reads a table with a header line: UTF-8, separated by tabs, CRLF and byte order mark allowed. Problems
/// carry the line. Returns the rows that could be read.
std::vector<SheetRow> parse_sheet(std::string_view text, Complaints& complaints,
                                  const SheetLimits& limits = {});

/// The same from a file.
std::vector<SheetRow> read_sheet(const std::string& file, Complaints& complaints,
                                 const SheetLimits& limits = {});

/// "a, b" -> {"a", "b"}: several ids in one cell.
std::vector<std::string> split_ids(std::string_view cell);

}  // namespace stemma
