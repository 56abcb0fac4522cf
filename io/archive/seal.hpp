// Are these still the bytes that were written?
#pragma once
#include <cstdint>
#include <filesystem>

namespace stemma {

/// A sealed file ends in 32 bytes that HDF5 does not look at: magic "STEMSEAL", number of bytes before the
/// seal (u64), XXH3-128 of them (high, low; u64 each; little-endian). HDF5 tools that rewrite a file drop its
/// seal.
enum class SealState : std::uint8_t { intact, broken, absent };

/// Appends the seal. Throws StorageError.
void seal(const std::filesystem::path& path);

/// Reads the whole file. Throws StorageError when it cannot be read.
SealState seal_of(const std::filesystem::path& path);

/// Does the file end in a seal, intact or not? Reads 32 bytes. Throws StorageError.
bool has_seal(const std::filesystem::path& path);

/// Does it begin as HDF5 files do? Throws StorageError.
bool has_hdf5_signature(const std::filesystem::path& path);

}  // namespace stemma
