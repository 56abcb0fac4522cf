// How are values narrowed to the type of their column without ever losing one?
#include "io/archive/column_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include "io/model/utf8.hpp"

namespace stemma {
namespace {

template <class Stored, class Value>
void append(std::vector<std::byte>& bytes, Value value, const std::string& column) {
  Stored stored{};
  if constexpr (std::integral<Stored> && std::integral<Value>) {
    if (!std::in_range<Stored>(value))
      throw std::length_error(
          fmt::format("{}: {} does not fit into {} bytes", column, value, sizeof(Stored)));
    stored = static_cast<Stored>(value);
  } else if constexpr (std::floating_point<Stored>) {
    stored = static_cast<Stored>(value);
  } else {
    throw std::logic_error(fmt::format("{}: a real in a column of integers", column));
  }
  const auto raw = std::as_bytes(std::span(&stored, 1));
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

template <class Value>
void append_as(h5::Type type, std::vector<std::byte>& bytes, Value value, const std::string& column) {
  switch (type) {
    case h5::Type::u1:
      return append<std::uint8_t>(bytes, value, column);
    case h5::Type::u2:
      return append<std::uint16_t>(bytes, value, column);
    case h5::Type::u4:
      return append<std::uint32_t>(bytes, value, column);
    case h5::Type::u8:
      return append<std::uint64_t>(bytes, value, column);
    case h5::Type::i1:
      return append<std::int8_t>(bytes, value, column);
    case h5::Type::i4:
      return append<std::int32_t>(bytes, value, column);
    case h5::Type::i8:
      return append<std::int64_t>(bytes, value, column);
    case h5::Type::f4:
      return append<float>(bytes, value, column);
    case h5::Type::f8:
      return append<double>(bytes, value, column);
    case h5::Type::str:
      throw std::logic_error(fmt::format("{}: a number in a column of text", column));
  }
}

}  // namespace

std::string archive_text(std::string_view text) {
  if (text.find('\0') == std::string_view::npos && first_invalid_utf8(text) == text.size())
    return std::string(text);
  std::string out;
  while (!text.empty()) {
    const Utf8Character character = first_character(text);
    const bool storable = character.length > 0 && character.code != 0;
    const std::size_t length = storable ? character.length : 1;
    if (storable)
      out += text.substr(0, length);
    else
      out += fmt::format("\\x{:02X}", static_cast<unsigned char>(text.front()));
    text.remove_prefix(length);
  }
  return out;
}

ColumnWriter::ColumnWriter(h5::Dataset dataset, h5::Type type, std::uint64_t width, bool two_dimensional,
                           std::uint64_t rows_per_chunk)
    : dataset_(std::move(dataset)),
      type_(type),
      width_(width),
      two_dimensional_(two_dimensional),
      rows_per_chunk_(rows_per_chunk) {}

template <class Value>
void ColumnWriter::put_values(std::span<const Value> values) {
  if (values.size() != width_)
    throw std::logic_error(fmt::format("{}: a row of {} values in a column of width {}", dataset_.path(),
                                       values.size(), width_));
  for (const Value value : values) append_as(type_, bytes_, value, dataset_.path());
  end_row();
}

void ColumnWriter::put(std::span<const std::uint64_t> values) { put_values(values); }
void ColumnWriter::put(std::span<const std::int64_t> values) { put_values(values); }
void ColumnWriter::put(std::span<const double> values) { put_values(values); }

void ColumnWriter::put_text(std::string_view text) {
  if (type_ != h5::Type::str)
    throw std::logic_error(fmt::format("{}: text in a column of numbers", dataset_.path()));
  texts_.push_back(archive_text(text));
  end_row();
}

void ColumnWriter::put_block(std::span<const std::byte> bytes, std::uint64_t rows) {
  const std::size_t row_bytes = width_ * h5::size_of(type_);
  if (type_ == h5::Type::str || bytes.size() != rows * row_bytes)
    throw std::logic_error(fmt::format("{}: {} bytes are no {} rows", dataset_.path(), bytes.size(), rows));
  for (std::uint64_t done = 0; done < rows;) {
    const std::uint64_t some = std::min(rows - done, rows_per_chunk_ - buffered_);
    const auto part = bytes.subspan(done * row_bytes, some * row_bytes);
    bytes_.insert(bytes_.end(), part.begin(), part.end());
    buffered_ += some;
    done += some;
    if (buffered_ == rows_per_chunk_) flush();
  }
}

void ColumnWriter::put_missing() {
  if (type_ == h5::Type::str) return put_text("");
  if (type_ == h5::Type::f8)
    return put(std::vector<double>(width_, std::numeric_limits<double>::quiet_NaN()));
  bytes_.insert(bytes_.end(), width_ * h5::size_of(type_), std::byte{0xFF});
  end_row();
}

void ColumnWriter::end_row() {
  if (++buffered_ == rows_per_chunk_) flush();
}

void ColumnWriter::widen(std::uint64_t width) {
  flush();
  width_ = width;
  dataset_.extend({written_, width_});
}

void ColumnWriter::flush() {
  if (buffered_ == 0) return;
  const std::uint64_t rows = written_ + buffered_;
  dataset_.extend(two_dimensional_ ? h5::Extents{rows, width_} : h5::Extents{rows});
  if (type_ == h5::Type::str) {
    dataset_.write_text(written_, texts_);
  } else if (width_ > 0) {
    const auto start = two_dimensional_ ? h5::Extents{written_, 0} : h5::Extents{written_};
    const auto count = two_dimensional_ ? h5::Extents{buffered_, width_} : h5::Extents{buffered_};
    dataset_.write(type_, start, count, bytes_);
  }
  written_ = rows;
  buffered_ = 0;
  bytes_.clear();
  texts_.clear();
}

}  // namespace stemma
