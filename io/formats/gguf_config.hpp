// What would config.json say of a GGUF file?
#pragma once
#include <string>

#include "io/formats/gguf_metadata.hpp"

namespace stemma {

/// A JSON object with the dimensions under the names that architecture tables look for (hidden_size,
/// num_attention_heads, ...) and "model_type": "gguf/llama" for general.architecture "llama": the families of
/// GGUF files have tables of their own. A dimension that differs between layers is left out.
/// "" without general.architecture.
std::string gguf_config(const GgufMetadata& metadata);

}  // namespace stemma
