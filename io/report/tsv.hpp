// How does a table become a file that spreadsheets, pandas, R and diff read the same way?
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stemma {

/// The shortest text that reads back to the same double; "" for NaN, which means missing.
std::string cell(double value);
std::string cell(std::uint64_t value);
std::string cell(int value);
std::string cell(bool value);
/// Text of a stranger: tabs, line ends and backslashes become \t \n \r \\, control and bidirectional
/// characters \u{202e}.
std::string cell(std::string_view text);
inline std::string cell(const std::string& text) { return cell(std::string_view(text)); }
inline std::string cell(const char* text) { return cell(std::string_view(text)); }
template <class T>
std::string cell(const std::optional<T>& value) {
  return value ? cell(*value) : std::string();
}

/// Rows under one header line, UTF-8, LF, TAB, no quoting. Written whole under its final name, or not at all.
class Tsv {
 public:
  explicit Tsv(std::vector<std::string> columns) : columns_(std::move(columns)) {}

  /// One cell per column, in order; throws std::logic_error for another number of cells.
  template <class... Cells>
  void row(const Cells&... cells) {
    add({cell(cells)...});
  }
  /// The same for cells that cell() made already.
  void add(std::vector<std::string> cells);
  std::size_t rows() const { return rows_.size(); }
  std::string text() const;

 private:
  std::vector<std::string> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// Reads the named columns of a table with a header line; other columns are passed over. UTF-8, LF or CRLF.
/// Throws ConfigProblems with file and line for a file that cannot be read, a missing column or a short row.
std::vector<std::vector<std::string>> read_tsv(const std::string& path,
                                               const std::vector<std::string>& columns);

/// Writes a file under a temporary name, syncs it and renames it. Throws StorageError.
void write_whole(const std::filesystem::path& path, std::string_view text);

}  // namespace stemma
