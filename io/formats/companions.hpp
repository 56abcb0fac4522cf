// What do the small files beside the weights say: configuration and declared descent?
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "io/model/checkpoint.hpp"

namespace stemma {

/// Text of a config.json as strict JSON: NaN and infinities, which Python writes, become null.
/// Throws InvalidInput (json.*) for what is no JSON object; the model is readable without it.
std::string strict_config(std::string_view text, const std::string& file_name);

/// `base_model` and `base_model_relation` of the front matter of a README, each a claim at most 1 KiB long.
/// None when there is no front matter. Throws InvalidInput (yaml.alias, yaml.limit, yaml.syntax).
std::vector<Claim> front_matter_claims(std::string_view text, const std::string& file_name);

/// Reads config.json and README.md where `listing` has them, and says where a tokenizer.json lies, as
/// far as the weight files have not told the same; faults become findings, never errors.
void read_companions(const std::string& directory, const std::vector<std::string>& listing,
                     Checkpoint& checkpoint);

}  // namespace stemma
