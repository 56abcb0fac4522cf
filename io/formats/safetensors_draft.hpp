// What does a tensor header claim, before anybody checks whether the claims fit together?
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/model/dtype.hpp"
#include "io/model/finding.hpp"

namespace stemma {

/// One entry as written: offsets count from the end of the header.
struct DraftTensor {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct SafetensorsDraft {
  std::vector<DraftTensor> tensors;  ///< in the order of the text
  std::map<std::string, std::string> metadata;
  std::vector<Finding> findings;
};

/// Parses a header and checks what one entry alone can violate: text, JSON, types, numbers, names.
/// Throws InvalidInput with the first violated rule.
SafetensorsDraft parse_safetensors_header(std::string_view json, const std::string& file_name);

}  // namespace stemma
