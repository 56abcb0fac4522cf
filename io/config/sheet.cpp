// A table that people edit in spreadsheets: strict about columns, generous about their order.
#include "io/config/sheet.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/config/yaml.hpp"
#include "io/config/yaml_section.hpp"
#include "io/config/yaml_syntax.hpp"

namespace stemma {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool is_known(std::string_view column) {
  const auto& columns = sheet_columns();
  return std::any_of(columns.begin(), columns.end(), [&](const SheetColumn& c) { return c.name == column; });
}

/// The names of the columns; empty after a problem that makes the rows unreadable.
std::vector<std::string> read_header(std::string_view line, Complaints& complaints) {
  const Place at{1, 0, {}};
  if (line.find('\t') == std::string_view::npos && line.find(',') != std::string_view::npos) {
    complaints.add(at, "", "the header is separated by commas; a sheet is separated by tabs. Save it as TSV");
    return {};
  }
  std::vector<std::string> known;
  for (const SheetColumn& column : sheet_columns()) known.emplace_back(column.name);
  std::vector<std::string> header;
  const std::size_t before = complaints.problems().size();
  for (const std::string_view cell : split(line, '\t')) {
    const std::string name(trimmed(cell));
    const bool quoted = name.size() > 1 && name.starts_with('"') && name.ends_with('"');
    if (quoted && complaints.problems().size() == before) {
      complaints.add(
          at, "",
          fmt::format("the header names {} in quotes, and a sheet has none. Write it without", shown(name)));
    } else if (quoted) {
      continue;  // the first one has been told
    } else if (name.empty()) {
      complaints.add(at, "", fmt::format("column {} of the header has no name", header.size() + 1));
    } else if (std::find(header.begin(), header.end(), name) != header.end()) {
      complaints.add(at, name, fmt::format("the header names {} twice", shown(name)));
    } else if (const auto meant = nearest(name, known); meant && !is_known(name)) {
      complaints.note(at, fmt::format("column {} has no meaning and is kept as text. Did you mean {}?",
                                      shown(name), *meant));
    }
    header.push_back(name);
  }
  if (std::find(header.begin(), header.end(), "path") == header.end()) {
    if (complaints.problems().size() == before)
      complaints.add(
          at, "path",
          fmt::format("the header has no column path (it names {}); the first line must name the columns",
                      shown(fmt::format("{}", fmt::join(header, ", ")))));
    return {};
  }
  return header;
}

SheetRow read_row(std::string_view line, int number, const std::vector<std::string>& header,
                  Complaints& complaints, const SheetLimits& limits) {
  SheetRow row;
  row.line = number;
  const auto cells = split(line, '\t');
  row.cells = cells.size();
  if (cells.size() > header.size()) {
    complaints.add(
        {number, 0, {}}, "",
        fmt::format("this row has {} cells, the header names {} columns. Remove what is too much, or name it",
                    cells.size(), header.size()));
  }
  for (std::size_t i = 0; i < std::min(cells.size(), header.size()); ++i) {
    if (cells[i].size() > limits.cell_bytes) {
      complaints.add({number, 0, {}}, header[i],
                     fmt::format("{} has {} bytes; a cell has at most {}", header[i], cells[i].size(),
                                 limits.cell_bytes));
      continue;
    }
    const std::string text(trimmed(cells[i]));
    if (!text.empty()) (is_known(header[i]) ? row.known : row.further)[header[i]] = text;
  }
  return row;
}

}  // namespace

const std::vector<SheetColumn>& sheet_columns() {
  static const std::vector<SheetColumn> columns = {
      {"id", "name of the model in every result; made from the path when empty"},
      {"path", "directory, file or index; relative paths begin at the sheet. Required"},
      {"base", "declared parents, ids separated by commas"},
      {"relation", "declared relation: finetune, adapter, merge, quantized, or other words"},
      {"family", "free text"},
      {"label", "free text, shown instead of the id"},
      {"use", "subject (when empty), reference or background"},
      {"revision", "free text, kept with the results"},
      {"adapter_on", "id of the model that the adapter at path is merged into"},
      {"variant", "variant of the file names: model.VARIANT.safetensors"},
      {"architecture", "forces an architecture table"}};
  return columns;
}

std::vector<SheetRow> parse_sheet(std::string_view text, Complaints& complaints, const SheetLimits& limits) {
  std::vector<SheetRow> rows;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (const std::size_t bad = first_bad_byte(text); bad != std::string_view::npos) {
    complaints.add({place_at(text, bad).line, 0, {}}, "", bad_byte_sentence(text, bad, "a sheet is"));
    return rows;
  }
  std::vector<std::string> header;
  int number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (number == 1) {
      header = read_header(line, complaints);
      if (header.empty()) return rows;
    } else if (line.find_first_not_of(" \t") != std::string_view::npos) {
      if (rows.size() == limits.rows) {
        complaints.add({number, 0, {}}, "",
                       fmt::format("the sheet has more than {} rows; that is the limit", limits.rows));
        return rows;
      }
      rows.push_back(read_row(line, number, header, complaints, limits));
    }
  }
  if (number == 0) complaints.add({}, "", "the sheet is empty; its first line must name the columns");
  return rows;
}

std::vector<SheetRow> read_sheet(const std::string& file, Complaints& complaints, const SheetLimits& limits) {
  const auto text = read_text_file(file, limits.bytes, complaints);
  return text ? parse_sheet(*text, complaints, limits) : std::vector<SheetRow>{};
}

std::vector<std::string> split_ids(std::string_view cell) {
  std::vector<std::string> ids;
  for (const std::string_view part : split(cell, ',')) {
    if (const std::string_view id = trimmed(part); !id.empty()) ids.emplace_back(id);
  }
  return ids;
}

}  // namespace stemma
