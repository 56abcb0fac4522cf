// How are rows of a column read?
#pragma once
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "io/archive/hdf5.hpp"

namespace stemma {

template <class Number>
constexpr h5::Type archive_type() {
  if constexpr (std::is_same_v<Number, std::uint8_t>) return h5::Type::u1;
  if constexpr (std::is_same_v<Number, std::uint16_t>) return h5::Type::u2;
  if constexpr (std::is_same_v<Number, std::uint32_t>) return h5::Type::u4;
  if constexpr (std::is_same_v<Number, std::uint64_t>) return h5::Type::u8;
  if constexpr (std::is_same_v<Number, std::int32_t>) return h5::Type::i4;
  if constexpr (std::is_same_v<Number, std::int64_t>) return h5::Type::i8;
  if constexpr (std::is_same_v<Number, double>) return h5::Type::f8;
}

/// What a column of 64-bit integers holds where there is no number.
inline constexpr std::uint64_t none64 = std::numeric_limits<std::uint64_t>::max();

/// Reads columns by path; everything throws StorageError. Keeps columns open, so that neighbouring rows come
/// from the same unpacked chunk.
class TableReader {
 public:
  /// The file must outlive it.
  explicit TableReader(const h5::File& file) : file_(&file) {}

  /// Rows [start, start + count), row-major, `width` numbers each.
  template <class Number>
  std::vector<Number> read(const std::string& path, std::uint64_t start, std::uint64_t count) const {
    const h5::Dataset& dataset = open(path);
    const h5::Extents extents = dataset.extents();
    const bool wide = extents.size() == 2;
    std::vector<Number> values(count * (wide ? extents[1] : 1));
    if (!values.empty())
      dataset.read(archive_type<Number>(), wide ? h5::Extents{start, 0} : h5::Extents{start},
                   wide ? h5::Extents{count, extents[1]} : h5::Extents{count},
                   std::as_writable_bytes(std::span(values)));
    return values;
  }
  template <class Number>
  std::vector<Number> read(const std::string& path) const {
    return read<Number>(path, 0, rows(path));
  }
  template <class Number>
  Number one(const std::string& path, std::uint64_t row) const {
    return read<Number>(path, row, 1).front();
  }
  std::vector<std::string> text(const std::string& path, std::uint64_t start, std::uint64_t count) const {
    return open(path).read_text(start, count);
  }
  std::vector<std::string> text(const std::string& path) const { return text(path, 0, rows(path)); }
  std::string scalar(const std::string& path) const { return open(path).read_scalar(); }
  /// Rows of numbers as they lie in memory, whatever their type.
  std::vector<std::byte> read_bytes(const std::string& path, h5::Type type, std::uint64_t start,
                                    std::uint64_t count) const {
    const bool wide = open(path).extents().size() == 2;
    std::vector<std::byte> bytes(count * width(path) * h5::size_of(type));
    if (!bytes.empty())
      open(path).read(type, wide ? h5::Extents{start, 0} : h5::Extents{start},
                      wide ? h5::Extents{count, width(path)} : h5::Extents{count}, bytes);
    return bytes;
  }
  /// Numbers in a row.
  std::uint64_t width(const std::string& path) const {
    const h5::Extents extents = open(path).extents();
    return extents.size() == 2 ? extents[1] : 1;
  }
  std::uint64_t rows(const std::string& path) const { return open(path).extents().at(0); }

 private:
  const h5::Dataset& open(const std::string& path) const {
    auto found = open_.find(path);
    if (found == open_.end()) found = open_.emplace(path, file_->dataset(path)).first;
    return found->second;
  }

  const h5::File* file_;
  mutable std::map<std::string, h5::Dataset> open_;
};

}  // namespace stemma
