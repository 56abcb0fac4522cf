// How does one column grow, row by row, in whole chunks?
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/archive/hdf5.hpp"

namespace stemma {

/// Collects rows until a chunk is full. All numbers of one column have one type; a row has `width` of them.
class ColumnWriter {
 public:
  ColumnWriter(h5::Dataset dataset, h5::Type type, std::uint64_t width, bool two_dimensional,
               std::uint64_t rows_per_chunk);

  h5::Type type() const { return type_; }
  std::uint64_t rows() const { return written_ + buffered_; }
  std::uint64_t width() const { return width_; }

  /// One row; `values` must fit into the type, else std::length_error.
  void put(std::span<const std::uint64_t> values);
  void put(std::span<const std::int64_t> values);
  void put(std::span<const double> values);
  void put_text(std::string_view text);
  /// Many rows of numbers of the column's own type, row-major.
  void put_block(std::span<const std::byte> bytes, std::uint64_t rows);
  /// A row whose bits are all set, or NaN, or empty text.
  void put_missing();

  /// More columns in every row from now on; earlier rows have NaN there.
  void widen(std::uint64_t width);
  void flush();

 private:
  template <class Value>
  void put_values(std::span<const Value> values);
  void end_row();

  h5::Dataset dataset_;
  h5::Type type_;
  std::uint64_t width_;
  bool two_dimensional_;
  std::uint64_t rows_per_chunk_;
  std::uint64_t written_ = 0;
  std::uint64_t buffered_ = 0;
  std::vector<std::byte> bytes_;
  std::vector<std::string> texts_;
};

/// Text as archives hold it: valid UTF-8 without NUL. Other bytes become \xNN.
std::string archive_text(std::string_view text);

}  // namespace stemma
