// Do two archives say the same, whoever wrote them, where and in which chunks?
#pragma once
#include "io/archive/hdf5.hpp"
#include "io/archive/records.hpp"

namespace stemma {

/// SHA-256 in order of the layout over every column that enters the hash: path and type (length-prefixed),
/// number of extents and extents (u64), then the values row-major and little-endian, texts length-prefixed
/// (u64). Reads the file in blocks of 1 MiB. Throws StorageError.
ArchiveHashes canonical_hashes(const h5::File& file);

}  // namespace stemma
