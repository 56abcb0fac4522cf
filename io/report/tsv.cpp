// How does a table become lines with tabs, and a file that is whole or absent?
#include "io/report/tsv.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "io/archive/storage_error.hpp"
#include "io/archive/writer_name.hpp"
#include "io/config/problems.hpp"
#include "io/model/finding.hpp"

namespace stemma {

std::string cell(double value) { return std::isnan(value) ? std::string() : fmt::format("{}", value); }
std::string cell(std::uint64_t value) { return fmt::format("{}", value); }
std::string cell(int value) { return fmt::format("{}", value); }
std::string cell(bool value) { return value ? "true" : "false"; }

std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '\t':
        escaped += "\\t";
        break;
      case '\n':
        escaped += "\\n";
        break;
      case '\r':
        escaped += "\\r";
        break;
      case '\\':
        escaped += "\\\\";
        break;
      default:
        escaped += c;
    }
  }
  return printable(escaped, std::size_t{64} << 10);
}

void Tsv::add(std::vector<std::string> cells) {
  if (cells.size() != columns_.size())
    throw std::logic_error(
        fmt::format("a row of {} cells in a table of {} columns", cells.size(), columns_.size()));
  rows_.push_back(std::move(cells));
}

std::string Tsv::text() const {
  std::string text = fmt::format("{}\n", fmt::join(columns_, "\t"));
  for (const auto& cells : rows_) text += fmt::format("{}\n", fmt::join(cells, "\t"));
  return text;
}

std::vector<std::vector<std::string>> read_tsv(const std::string& path,
                                               const std::vector<std::string>& columns) {
  const auto fail = [&](int line, std::string message) {
    throw ConfigProblems({Problem{
        .file = path, .line = line, .column = 0, .key = "", .message = std::move(message), .place = ""}});
  };
  const auto split = [](std::string line) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    std::vector<std::string> cells;
    std::istringstream in(line);
    for (std::string one; std::getline(in, one, '\t');) cells.push_back(one);
    return cells;
  };
  std::ifstream in(path, std::ios::binary);
  std::string line;
  if (!in || !std::getline(in, line))
    fail(0,
         fmt::format(
             "cannot be read as a table (no such file, or it is empty). Its first line names the columns {}",
             fmt::join(columns, " and ")));
  const std::vector<std::string> header = split(line);
  std::vector<std::size_t> places;
  for (const std::string& column : columns) {
    const auto at = std::find(header.begin(), header.end(), column);
    if (at == header.end())
      fail(1, fmt::format("the header has no column {}. The columns are separated by tabs", column));
    places.push_back(static_cast<std::size_t>(at - header.begin()));
  }
  std::vector<std::vector<std::string>> rows;
  for (int number = 2; std::getline(in, line); ++number) {
    const std::vector<std::string> cells = split(line);
    if (cells.empty() && in.peek() == std::ifstream::traits_type::eof()) break;  // an empty last line
    std::vector<std::string> row;
    for (const std::size_t place : places) {
      if (place >= cells.size())
        fail(number, fmt::format("the row has {} of {} cells", cells.size(), header.size()));
      row.push_back(cells[place]);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

void write_whole(const std::filesystem::path& path, std::string_view text) {
  const std::filesystem::path temporary = temporary_name(path, writer_name());
  const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) throw StorageError(path, "", "write", errno);
  int error = 0;
  while (!text.empty() && error == 0) {
    const ssize_t n = write(file, text.data(), text.size());
    if (n >= 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (error == 0 && fsync(file) != 0) error = errno;
  if (close(file) != 0 && error == 0) error = errno;
  if (error == 0 && rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return;
  unlink(temporary.c_str());
  throw StorageError(path, "", "write", error);
}

}  // namespace stemma
