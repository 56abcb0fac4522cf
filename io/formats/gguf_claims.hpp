// Which models does a GGUF file say it was made from?
#pragma once
#include <string>
#include <vector>

#include "io/formats/gguf_metadata.hpp"
#include "io/model/checkpoint.hpp"

namespace stemma {

/// What general.base_model.* and general.source.* say, and general.basename of a model that calls itself
/// fine-tuned; each with the key that says so. `file_name` goes in front of the keys.
std::vector<Claim> gguf_claims(const GgufMetadata& metadata, const std::string& file_name);

}  // namespace stemma
