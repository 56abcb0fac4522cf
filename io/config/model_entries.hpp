// What does the list `models` of a configuration name, before anything is looked for on disk?
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "io/config/run_config.hpp"
#include "io/config/yaml.hpp"

namespace stemma {

/// Where paths begin that are written in a file, and those that are written outside of it.
struct PathAnchors {
  std::string file_directory;
  Environment environment;

  std::string directory_for(const Place& at) const { return at.argument.empty() ? file_directory : "."; }
};

std::vector<ModelListing> read_model_entries(const YamlNode& list, const PathAnchors& anchors,
                                             Complaints& complaints);

/// [A-Za-z0-9][A-Za-z0-9._+-]{0,127}
bool is_model_id(std::string_view text);
inline constexpr std::string_view model_id_pattern = "^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$";
inline constexpr std::string_view model_id_rule =
    "an id begins with a letter or digit and has at most 128 letters, digits and ._+-";

/// What a path of the configuration names.
enum class Locates { file, glob, model };

/// An input path (of a model: a location) as read from YAML, absolute; "" after a problem. Notes a comment
/// that may belong to the path.
std::string read_input_path(const YamlNode& node, const std::string& path, const PathAnchors& anchors,
                            Complaints& complaints, Locates what = Locates::file);

}  // namespace stemma
