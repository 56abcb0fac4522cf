// How do the columns of all groups fill, in step, in one file?
#pragma once
#include <concepts>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "io/archive/archive_writer.hpp"
#include "io/archive/column_writer.hpp"
#include "io/archive/layout.hpp"

namespace stemma {

/// The file of the layout with all groups, columns and scales; columns are named by their path
/// ("tensors/rows"). An unknown column is std::logic_error.
class TableWriter {
 public:
  TableWriter(const std::string& path, const ArchiveChunks& chunks);

  /// One row of a column of width 1.
  template <class Value>
  requires std::is_arithmetic_v<Value> || std::is_enum_v<Value>
  void put(std::string_view column, Value value) {
    if constexpr (std::is_enum_v<Value>) {
      put(column, static_cast<std::underlying_type_t<Value>>(value));
    } else if constexpr (std::floating_point<Value>) {
      const double one = value;
      at(column).put(std::span(&one, 1));
    } else if constexpr (std::signed_integral<Value>) {
      const std::int64_t one = value;
      at(column).put(std::span(&one, 1));
    } else {
      const std::uint64_t one = value;
      at(column).put(std::span(&one, 1));
    }
  }
  void put(std::string_view column, std::string_view text) { at(column).put_text(text); }
  void put(std::string_view column, const std::string& text) { at(column).put_text(text); }
  void put(std::string_view column, const char* text) { at(column).put_text(text); }
  void put_missing(std::string_view column) { at(column).put_missing(); }
  /// One row of a wider column.
  template <class Value>
  void put_row(std::string_view column, const std::vector<Value>& values) {
    at(column).put(std::span<const Value>(values));
  }
  /// Many rows of a column of width 1.
  template <class Value>
  void put_all(std::string_view column, const std::vector<Value>& values) {
    ColumnWriter& c = at(column);
    for (const Value& value : values) c.put(std::span(&value, 1));
  }
  /// Many rows of numbers as they lie in memory.
  void put_block(std::string_view column, std::span<const std::byte> bytes, std::uint64_t rows) {
    at(column).put_block(bytes, rows);
  }
  void put_scalar(const std::string& path, std::string_view text);

  /// Rows in a column so far.
  std::uint64_t rows(std::string_view column) { return at(column).rows(); }
  /// Position of a label in a dimension whose labels are found while writing; `column` is the one that grows.
  std::size_t label(const std::string& dimension, std::string_view column, const std::string& name);
  std::size_t labels(const std::string& dimension) const;

  /// Writes what is buffered, gives every dimension its scale and attaches it. Throws std::logic_error when
  /// columns of one dimension have different numbers of rows.
  void finish();

  h5::File& file() { return file_; }

 private:
  ColumnWriter& at(std::string_view column);
  void create_group(const layout::Group& group);
  void create_column(const layout::Group& group, const layout::Column& column);
  void create_dimension(const layout::Group& group, const layout::Dimension& dimension);
  void finish_dimension(const std::string& path, const layout::Dimension& dimension, std::uint64_t extent);

  ArchiveChunks chunks_;
  h5::File file_;
  std::map<std::string, ColumnWriter, std::less<>> columns_;
  std::map<std::string, std::vector<std::string>> found_labels_;  ///< by path of the dimension
};

}  // namespace stemma
