// What does one weight file hold, whichever format it is in?
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/model/byte_reader.hpp"
#include "io/model/checkpoint.hpp"

namespace stemma {

/// What a file says about the set of files that it is one of.
struct PartOfSet {
  std::uint64_t number = 0;   ///< from 0
  std::uint64_t parts = 0;    ///< 2 or more
  std::uint64_t tensors = 0;  ///< of all parts together
  std::uint64_t holds = 0;    ///< of this one, those that cannot be read too
};

/// A weight file, opened: header only, no weight has been read.
struct Container {
  std::string format;                 ///< "safetensors", "gguf"
  std::uint64_t header_bytes = 0;     ///< where the data begin
  std::vector<StoredTensor> tensors;  ///< in the order of their bytes; StoredTensor::file is left 0
  std::string config_json;            ///< of formats that carry their own configuration, "" of others
  std::string vocabulary;             ///< path of the file when it holds a vocabulary, "" otherwise
  std::optional<PartOfSet> part;      ///< of formats whose files say so
  std::vector<Claim> claims;
  std::vector<Finding> findings;  ///< warnings and notes
};

/// Opens the file with the reader of its format; the first bytes decide which, and a name that promises
/// another is a finding. Throws InvalidInput: format.refused, format.unknown, lfs_pointer, and what the
/// format's reader throws.
Container open_container(const SourceFile& file, ByteReader& reader);

}  // namespace stemma
