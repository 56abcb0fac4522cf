// From a location to a checkpoint: search, assemble, read the side files, sort the findings.
#include "io/formats/open_checkpoint.hpp"

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "io/config/merged_location.hpp"
#include "io/formats/companions.hpp"
#include "io/formats/descriptor.hpp"
#include "io/formats/file_reader.hpp"
#include "io/formats/gguf_files.hpp"
#include "io/formats/merged_adapter.hpp"
#include "io/formats/model_files.hpp"
#include "io/formats/quantised.hpp"
#include "io/formats/shard_assembly.hpp"
#include "io/formats/variant_names.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;

void sort_findings(std::vector<Finding>& findings) {
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.file, a.byte_offset, a.tensor, a.rule) <
           std::tie(b.file, b.byte_offset, b.tensor, b.rule);
  });
}

std::string directory_of(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

/// Side files belong to named files only when these are the one model of their kind in the directory.
bool only_weights(const std::vector<std::string>& listing, const std::vector<std::string>& names) {
  const std::string_view kind = names.front().ends_with(".gguf") ? ".gguf" : ".safetensors";
  return std::ranges::none_of(listing, [&](const std::string& other) {
    return other.ends_with(kind) && std::ranges::find(names, other) == names.end();
  });
}

void open_into(const std::string& location, Checkpoint& checkpoint) {
  std::error_code error;
  const fs::file_status status = fs::status(location, error);
  if (!fs::exists(status)) {
    throw InvalidInput({.rule = "no_model_found",
                        .file = file_name_of(location),
                        .found = error ? error.message() : "no such file or directory",
                        .hint = "a model is named by its directory, its weight file or its .index.json"});
  }
  if (fs::is_directory(status)) {
    const std::vector<std::string> listing = list_directory(location);
    const ModelFiles files = choose_files(location, listing, checkpoint.findings);
    assemble(files, checkpoint);
    read_companions(location, listing, checkpoint);
    return;
  }
  const std::string directory = directory_of(location), name = file_name_of(location);
  const std::vector<std::string> listing = list_directory(directory);
  if (is_index_name(name)) {
    assemble(files_of_index(directory, name, listing, checkpoint.findings), checkpoint);
    read_companions(directory, listing, checkpoint);
    return;
  }
  const ModelFiles files = gguf_files_of(directory, name, listing);
  assemble(files, checkpoint);
  if (is_model_name(name) || only_weights(listing, files.names))
    read_companions(directory, listing, checkpoint);
}

}  // namespace

Checkpoint open_checkpoint(const std::string& location) {
  Checkpoint checkpoint;
  checkpoint.location = location;
  checkpoint.format = "safetensors";
  std::vector<Finding>& findings = checkpoint.findings;
  try {
    const auto both = base_and_adapter(location);
    open_into(both ? both->base : location, checkpoint);
    unite_quantised(checkpoint);
    if (both) {
      FileReader reader;
      merge_adapter(open_adapter(both->adapter, reader, Dora::read), checkpoint);
    }
    name_schemes(checkpoint);
  } catch (const InvalidInput& refused) {
    findings.push_back(refused.finding());
  }
  const auto first = std::find_if(findings.begin(), findings.end(),
                                  [](const Finding& finding) { return finding.severity == Severity::error; });
  if (first != findings.end()) {
    const Finding reason = *first;
    sort_findings(findings);
    throw UnreadableModel(reason, std::move(findings));
  }
  sort_findings(findings);
  return checkpoint;
}

}  // namespace stemma
