// How does a file full of tables become an archive that exists only when it is whole?
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "io/archive/table_writer.hpp"

namespace stemma {

/// What the root of an archive and /config say.
struct RootRecord {
  std::string software_version;
  std::string software_commit;
  std::string machine;
  std::string run_uuid;
  std::string plan_digest;
  std::string resolved_yaml;
  std::string original_yaml;
  std::string overrides;
};

/// Tables under a temporary name beside the final one. Destroyed before publish(), it removes them.
class UnfinishedArchive {
 public:
  /// Creates `final_path`.tmp.`suffix`; an older one of that name is replaced. Throws StorageError.
  UnfinishedArchive(std::filesystem::path final_path, std::string_view suffix, const ArchiveChunks& chunks);
  ~UnfinishedArchive();
  UnfinishedArchive(const UnfinishedArchive&) = delete;
  UnfinishedArchive& operator=(const UnfinishedArchive&) = delete;

  /// Throws std::logic_error after publish().
  TableWriter& table();

  /// Once every column is filled: hashes, seals, validates, syncs and renames. Throws as
  /// ArchiveWriter::publish.
  ArchiveHashes publish(const RootRecord& root);

 private:
  void write_root(const RootRecord& root, const ArchiveHashes& hashes);

  std::filesystem::path final_;
  std::filesystem::path temporary_;
  std::unique_ptr<TableWriter> table_;
  bool keeps_ = false;  ///< the temporary file, or what has become of it
};

}  // namespace stemma
