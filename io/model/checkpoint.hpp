// What is in a model's files, before anybody says what its tensors are for?
#pragma once
#include <string>
#include <vector>

#include "io/model/finding.hpp"
#include "io/model/tensor.hpp"

namespace stemma {

/// A statement about descent made by the files themselves or by the user. Shown beside the evidence, never
/// used as such.
struct Claim {
  std::string base;
  std::string relation;  ///< finetune, adapter, merge, quantized, or free text
  std::string source;    ///< "README.md", "config.json", "models.tsv:4", ...
};

/// A model as files on disk. Made from headers, index and config only: no weight has been read.
struct Checkpoint {
  std::string location;  ///< as the user named it
  std::string format;    ///< "safetensors", "gguf"
  std::vector<SourceFile> files;
  std::vector<StoredTensor> tensors;  ///< sorted by name, names unique
  std::string config_json;  ///< text of config.json, or what the weight file says of itself; "" when absent
  std::string vocabulary;   ///< path of tokenizer.json, or of a GGUF file that holds one; "" when absent
  std::vector<Claim> claims;
  std::vector<Finding> findings;  ///< sorted by (file, offset, tensor, rule)
};

}  // namespace stemma
