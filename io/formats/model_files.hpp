// Which files of a directory are the model, when several could be?
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "io/formats/shard_index.hpp"
#include "io/model/finding.hpp"

namespace stemma {

/// The weight files of one model. Names are relative to the directory.
struct ModelFiles {
  std::string directory;
  std::vector<std::string> names;
  std::optional<ShardIndex> index;
  bool is_set = false;  ///< parts 1..N of one model: an absent one is a missing shard
};

/// Names of all entries, sorted. Throws InvalidInput (file.open_failed, limit.directory).
std::vector<std::string> list_directory(const std::string& directory);

/// Chooses by name alone; no weight file is opened. Oddities go to `findings`. Throws InvalidInput when no
/// model or no single model is there (no_model_found, several_models, missing_shard, format.refused, ...).
ModelFiles choose_files(const std::string& directory, const std::vector<std::string>& listing,
                        std::vector<Finding>& findings);

/// The files that an index names. Other weight files in `listing` become findings.
ModelFiles files_of_index(const std::string& directory, const std::string& index_name,
                          const std::vector<std::string>& listing, std::vector<Finding>& findings);

}  // namespace stemma
