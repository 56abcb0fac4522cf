// Archives name files by the path of that day; what stays is where they lie in their model.
#include "pipeline/commands/recorded_inputs.hpp"

#include "io/config/merged_location.hpp"

namespace stemma {

namespace fs = std::filesystem;

namespace {

bool is_there(const fs::path& path) { return why_absent_model(path.string()).empty(); }

}  // namespace

std::optional<fs::path> place_of(const ModelRow& row, const std::string& inputs) {
  const fs::path recorded = row.path;
  if (!inputs.empty())
    for (const fs::path& name : {fs::path(row.id), recorded.filename()})
      if (!name.empty() && is_there(fs::path(inputs) / name)) return fs::absolute(fs::path(inputs) / name);
  if (is_there(recorded) || row.status == Status::failed) return recorded;
  return std::nullopt;
}

std::vector<RecordedFile> recorded_files(const SourceRows& archive, const std::vector<ModelRow>& models,
                                         const std::vector<fs::path>& places) {
  const auto paths = archive.table().text("files/path");
  const auto bytes = archive.table().read<std::uint64_t>("files/bytes");
  const auto owners = archive.table().read<std::uint32_t>("files/model_index");
  const auto hashes = archive.table().text("files/sha256");
  std::vector<RecordedFile> files;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const fs::path inside = fs::path(paths[i]).lexically_relative(models[owners[i]].path);
    const fs::path& place = places[owners[i]];
    // Models named by an index, or as BASE+ADAPTER, have their files beside what names them.
    files.push_back(
        {owners[i], inside == "." ? place : (place / inside).lexically_normal(), bytes[i], hashes[i]});
  }
  return files;
}

}  // namespace stemma
