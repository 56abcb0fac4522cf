// Do files still have the SHA-256 that was recorded or published for them?
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace stemma {

/// One file, and what its bytes were said to be.
struct HashedFile {
  std::string model;  ///< id, "" without an archive
  std::filesystem::path place;
  std::string stated;  ///< 64 hex digits, "" when nobody says
  std::string source;  ///< "archive", "published", ""
  std::string found;   ///< "" until it was read, or when it cannot be read
};

/// What all files of one target have shown.
struct FileHashes {
  std::vector<HashedFile> files;
  std::uint64_t stated = 0, equal = 0;
  std::vector<std::string> complaints, remarks;
};

/// Every file that the archive names, in the place where its model lies now (place_of with `inputs`), is read
/// once. What is stated is what the archive recorded, else what the hub published. Throws StorageError for
/// the archive alone; a file that cannot be read is a complaint.
FileHashes hash_files_of_archive(const std::filesystem::path& archive, const std::string& inputs);

/// The same of files beside which no archive stands.
FileHashes hash_files(const std::vector<std::filesystem::path>& files);

}  // namespace stemma
