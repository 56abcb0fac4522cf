// A directory may hold a model in several forms: the file names of a variant V say .V before their end.
#pragma once
#include <string_view>

namespace stemma {

/// model.safetensors.index.json, or that of a variant: model.safetensors.index.fp16.json.
bool is_index_name(std::string_view name);

/// All weights in one file under the name that libraries give it, as a variant or not: model.safetensors,
/// model.fp16.safetensors, pytorch_model.fp16.bin. The config.json beside it describes every form.
bool is_model_name(std::string_view name);

}  // namespace stemma
