// How does a tree of YAML become a RunConfig?
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "io/config/complaints.hpp"
#include "io/config/run_config.hpp"
#include "io/config/yaml.hpp"

namespace stemma {

/// Reads every key but models, which were read before, and sweep, which is none of one run. `file` names the
/// run when the tree does not, and is the anchor of relative paths.
RunConfig config_of(const YamlNode& root, const std::string& file, const Environment& environment,
                    const std::vector<ModelListing>& models, Complaints& complaints);

/// A change of one option from outside of the file, analyzers.content.sha256 = true, changes that option and
/// leaves the default set of questions alone: where the file does not name the set, it is written out first.
/// `changed` begins with the key of the option.
void write_out_questions(YamlNode& root, std::string_view changed, const Place& at);

}  // namespace stemma
