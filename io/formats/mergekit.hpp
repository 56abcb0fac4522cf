// From which models does a merge recipe say that a model was made?
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "io/model/checkpoint.hpp"

namespace stemma {

/// The models that a mergekit_config.yml names, each once, in the order of the file: base_model, every model
/// below `models` and below `slices[].sources`, on every level of a recipe of several steps. The relation is
/// "merge", with the method where one is stated, layers and weight of the first mention ("merge (slerp;
/// layers 0 to 16; weight 0.5)"). Texts longer than 1 KiB are passed over. Throws InvalidInput
/// (mergekit.ignored, a warning) for what is not plain YAML.
std::vector<Claim> mergekit_claims(std::string_view text, const std::string& file_name);

}  // namespace stemma
