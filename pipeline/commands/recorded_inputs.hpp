// Where do the models and files that an archive was made from lie now?
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/archive/archive_reader.hpp"
#include "io/archive/source_rows.hpp"

namespace stemma {

/// Where a model is now: under `inputs` ("" for nowhere else) by id or by the name it had, else where it was.
/// Nothing when it is nowhere. A model that failed then is expected where it was.
std::optional<std::filesystem::path> place_of(const ModelRow& row, const std::string& inputs);

/// One file of a model that was read for an archive.
struct RecordedFile {
  std::size_t model = 0;      ///< index into ArchiveReader::models()
  std::filesystem::path now;  ///< in the present place of its model
  std::uint64_t bytes = 0;    ///< as recorded
  std::string sha256;         ///< as recorded, 64 hex digits, "" when nobody computed it
};

/// All files of an archive. `places` are those of its models, in their order. Throws StorageError.
std::vector<RecordedFile> recorded_files(const SourceRows& archive, const std::vector<ModelRow>& models,
                                         const std::vector<std::filesystem::path>& places);

}  // namespace stemma
