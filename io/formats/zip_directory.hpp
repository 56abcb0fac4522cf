// Which entries does a zip archive of stored files hold, and is every byte of it accounted for?
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/model/byte_reader.hpp"

namespace stemma {

struct ZipEntry {
  std::string name;          ///< below the root: "data.pkl", "data/0"
  std::uint64_t offset = 0;  ///< where its bytes begin, from the start of the file
  std::uint64_t bytes = 0;
  std::uint32_t crc = 0;

  /// torch can be told to leave checksums out; they are 0 then.
  bool has_checksum() const { return crc != 0; }
};

struct ZipDirectory {
  std::string root;               ///< first component of all names
  std::vector<ZipEntry> entries;  ///< sorted by name, names unique

  /// nullptr where there is none.
  const ZipEntry* find(std::string_view name) const;
};

/// Reads the directory and all local headers of an archive as torch.save writes it: stored entries under one
/// root that fill the file without gap or overlap. Compressed entries are refused, since nothing is
/// decompressed. Throws InvalidInput (zip.no_eocd, zip.zip64, zip.central_directory, zip.method, zip.flags,
/// zip.local_header, zip.tiling), and what the reader throws.
ZipDirectory read_zip_directory(const SourceFile& file, ByteReader& reader);

/// The bytes of an entry, compared with its checksum where it has one. The caller has bounded the size.
/// Throws InvalidInput (zip.crc), and what the reader throws.
std::vector<char> read_zip_entry(const ZipEntry& entry, const SourceFile& file, ByteReader& reader);

}  // namespace stemma
