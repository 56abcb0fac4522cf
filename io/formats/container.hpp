// What does one weight file hold, whichever format it is in?
#pragma once
#include <string>
#include <vector>

#include "io/model/byte_reader.hpp"
#include "io/model/checkpoint.hpp"

namespace stemma {

/// A weight file, opened: header only, no weight has been read.
struct Container {
  std::string format;                 ///< "safetensors"
  std::uint64_t header_bytes = 0;     ///< where the data begin
  std::vector<StoredTensor> tensors;  ///< in the order of their bytes; StoredTensor::file is left 0
  std::string config_json;            ///< of formats that carry their own configuration, "" of others
  std::vector<Claim> claims;
  std::vector<Finding> findings;  ///< warnings and notes
};

/// Opens the file with the reader of its format; the first bytes decide which, and a name that promises
/// another is a finding. Throws InvalidInput: format.refused, format.unknown, lfs_pointer, and what the
/// format's reader throws.
Container open_container(const SourceFile& file, ByteReader& reader);

}  // namespace stemma
