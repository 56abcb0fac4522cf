// Every file is read whole, whatever its size or time says.
#include "pipeline/commands/file_hashes.hpp"

#include <fmt/format.h>

#include <map>

#include "io/archive/sha256.hpp"
#include "io/archive/storage_error.hpp"
#include "io/formats/published_hash.hpp"
#include "io/model/finding.hpp"
#include "pipeline/commands/recorded_inputs.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_of_a_path = 2000;

void state(HashedFile& file, const std::string& recorded) {
  file.stated = recorded.empty() ? published_sha256(file.place) : recorded;
  if (!file.stated.empty()) file.source = recorded.empty() ? "published" : "archive";
}

void read(FileHashes& all) {
  std::map<fs::path, std::string> known;  // several models may share files
  for (HashedFile& file : all.files) {
    const std::string name = printable(file.place.string(), most_of_a_path);
    try {
      std::string& hash = known[file.place];
      if (hash.empty()) hash = sha256_of_file(file.place);
      file.found = hash;
    } catch (const StorageError& error) {
      all.complaints.push_back(
          fmt::format("verify.unread: {}{}", printable(error.what(), most_of_a_path),
                      file.model.empty() ? "" : "; --inputs names where models lie now"));
      continue;
    }
    all.stated += !file.stated.empty();
    all.equal += file.found == file.stated;
    if (file.stated.empty())
      all.remarks.push_back(
          fmt::format("verify.no_hash: {} has SHA-256 {}, and nothing to hold it against", name, file.found));
    else if (file.found != file.stated)
      all.complaints.push_back(fmt::format("hash_mismatch: {} has SHA-256 {}, {} is {}", name, file.found,
                                           file.stated, file.source == "archive" ? "recorded" : "published"));
  }
}

}  // namespace

FileHashes hash_files_of_archive(const fs::path& archive, const std::string& inputs) {
  const ArchiveReader reader(archive, SealCheck::trust);
  const SourceRows rows(h5::File::open(archive.string()));
  std::vector<fs::path> places;
  for (const ModelRow& row : reader.models()) places.push_back(place_of(row, inputs).value_or(row.path));
  FileHashes all;
  for (const RecordedFile& recorded : recorded_files(rows, reader.models(), places)) {
    all.files.push_back({.model = reader.models()[recorded.model].id, .place = recorded.now});
    state(all.files.back(), recorded.sha256);
  }
  read(all);
  return all;
}

FileHashes hash_files(const std::vector<fs::path>& files) {
  FileHashes all;
  for (const fs::path& place : files) {
    all.files.push_back({.place = place});
    state(all.files.back(), "");
  }
  read(all);
  return all;
}

}  // namespace stemma
