// Which tensors does a safetensors file hold, and is every byte of it accounted for?
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/model/byte_reader.hpp"
#include "io/model/finding.hpp"
#include "io/model/tensor.hpp"

namespace stemma {

struct SafetensorsHeader {
  std::uint64_t header_bytes = 0;  ///< the length field and the JSON behind it: where the data begin
  std::vector<StoredTensor>
      tensors;  ///< in the order of their bytes; offsets count from the start of the file
  std::map<std::string, std::string> metadata;
  std::vector<Finding> findings;  ///< warnings and notes
};

/// Reads and validates the header. Throws InvalidInput with the first violated rule
/// ("safetensors.offset_hole",
/// ...), or what the reader throws. Memory and time are linear in the header, which has 100 MB at most.
SafetensorsHeader read_safetensors_header(const SourceFile& file, ByteReader& reader);

/// The same for a header in memory: `json` is the text behind the length field of a file of `file_bytes`
/// bytes, `file_name` goes into the findings.
SafetensorsHeader validate_safetensors_header(std::string_view json, std::uint64_t file_bytes,
                                              const std::string& file_name);

}  // namespace stemma
