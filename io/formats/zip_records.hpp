// Where does the central directory of a zip archive lie, and what does each of its records say?
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/model/byte_reader.hpp"

namespace stemma {

/// What stands in a field whose value is in the zip64 part.
inline constexpr std::uint16_t ones16 = 0xFFFF;
inline constexpr std::uint32_t ones32 = 0xFFFF'FFFF;

/// One record of the central directory, its zip64 values put in.
struct ZipRecord {
  std::string name;  ///< whole, with the root
  std::uint16_t flags = 0;
  std::uint32_t crc = 0;
  std::uint64_t bytes = 0;         ///< of the data
  std::uint64_t local_offset = 0;  ///< of the local header

  bool has_descriptor() const { return (flags & 8U) != 0; }
};

struct ZipRecords {
  std::vector<ZipRecord> records;  ///< in the order of the directory, at least one
  std::uint64_t begin = 0;         ///< offset of the directory: where the entries end
};

/// Throws InvalidInput (zip.no_eocd, zip.zip64, zip.central_directory, zip.method, zip.flags).
ZipRecords read_zip_records(const SourceFile& file, ByteReader& reader);

/// Sizes in an extra field of zip64: those whose 32-bit field is all ones, in the order of the format.
/// Returns false when the field is absent or too short for the values that are asked for.
bool take_zip64(std::string_view extra, const std::vector<std::uint64_t*>& wanted);

/// A little-endian number at `at`; the caller has checked that it lies inside.
template <class Number>
Number zip_number(std::string_view bytes, std::size_t at) {
  Number value = 0;
  bytes.copy(reinterpret_cast<char*>(&value), sizeof value, at);
  return value;
}

/// A finding about an archive, thrown.
[[noreturn]] void refuse_zip(std::string_view rule, const SourceFile& file, std::uint64_t offset,
                             std::string found, std::string expected = "", std::string hint = "");

}  // namespace stemma
