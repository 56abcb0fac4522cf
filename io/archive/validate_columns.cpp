// Is every number in a column one that may stand there?
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "io/archive/table_reader.hpp"
#include "io/archive/validator_checks.hpp"

namespace stemma {
namespace {

using layout::Column;
using layout::Group;

constexpr std::uint64_t block_rows = 65536;

// Calls sink(first row, values) for blocks of a column.
template <class Number, class Sink>
void each_block(const TableReader& table, const std::string& path, const Sink& sink) {
  const std::uint64_t rows = table.rows(path);
  for (std::uint64_t at = 0; at < rows; at += block_rows)
    sink(at, table.read<Number>(path, at, std::min(block_rows, rows - at)));
}

void check_index(const h5::File& file, const TableReader& table, const Group& group, const Column& column,
                 ComplaintList& complaints) {
  const std::string path = layout::path_in(group, column.name);
  const std::uint64_t limit = file.dataset(layout::path_of_referred(column)).extents().at(0);
  std::uint64_t wrong = 0;
  std::uint64_t example = 0;
  each_block<std::uint32_t>(table, path, [&](std::uint64_t, const std::vector<std::uint32_t>& values) {
    for (const std::uint32_t v : values)
      if (v >= limit && !(column.sentinel && v == std::numeric_limits<std::uint32_t>::max())) {
        ++wrong;
        example = v;
      }
  });
  if (wrong > 0)
    complaints.add("index", path,
                   fmt::format("{} entries point beyond the {} rows of {}, such as {}", wrong, limit,
                               column.refers, example));
}

void check_flags(const TableReader& table, const Group& group, const Column& column,
                 ComplaintList& complaints) {
  const std::string path = layout::path_in(group, column.name);
  const auto& known = layout::flag_table(column.flags).values;
  std::uint64_t wrong = 0;
  unsigned example = 0;
  each_block<std::uint8_t>(table, path, [&](std::uint64_t, const std::vector<std::uint8_t>& values) {
    for (const std::uint8_t v : values)
      if (std::ranges::none_of(known, [&](const auto& entry) { return entry.first == v; })) {
        ++wrong;
        example = v;
      }
  });
  if (wrong > 0)
    complaints.add("flag", path,
                   fmt::format("{} entries are no value of {}, such as {}", wrong, column.flags, example));
}

// start[i] must be the sum of the counts before it, and all pieces together the whole dimension.
void check_ragged(const h5::File& file, const TableReader& table, const Group& group, const Column& start,
                  ComplaintList& complaints) {
  const std::string path = layout::path_in(group, start.name);
  const std::uint64_t pieces = file.dataset(layout::find_dimension(group, start.starts).path).extents().at(0);
  std::uint64_t expected = 0;
  bool broken = false;
  each_block<std::uint64_t>(table, path, [&](std::uint64_t at, const std::vector<std::uint64_t>& starts) {
    const auto counts = table.read<std::uint32_t>(layout::path_in(group, start.length), at, starts.size());
    for (std::size_t i = 0; i < starts.size() && !broken; ++i) {
      // Pieces that only some rows have, as the low halves of wide codes.
      if (start.sentinel && starts[i] == none64) continue;
      if (starts[i] != expected) {
        complaints.add(
            "ragged", path,
            fmt::format("row {} begins at {}, the rows before it end at {}", at + i, starts[i], expected));
        broken = true;
      }
      expected += counts[i];
    }
  });
  if (!broken && expected != pieces)
    complaints.add("ragged", path, fmt::format("the rows cover {} of {} entries", expected, pieces));
}

}  // namespace

void check_columns(const h5::File& file, ComplaintList& complaints) {
  const TableReader table(file);
  for (const Group& group : layout::groups())
    for (const Column& column : group.columns) {
      const std::string path = layout::path_in(group, column.name);
      complaints.attempt(path, [&] {
        if (!column.refers.empty()) check_index(file, table, group, column, complaints);
        if (!column.flags.empty()) check_flags(table, group, column, complaints);
        if (!column.starts.empty()) check_ragged(file, table, group, column, complaints);
      });
    }
}

}  // namespace stemma
