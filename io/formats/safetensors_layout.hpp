// Do the tensors of a header tile the data of their file, each with the size that its shape says?
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "io/formats/safetensors_draft.hpp"
#include "io/model/tensor.hpp"

namespace stemma {

/// The tensors in the order of their bytes, with offsets from the start of the file. `data_begin` is where
/// the header ends, `file_bytes` at least that. Throws InvalidInput with the first violated rule, in the
/// order of the bytes.
std::vector<StoredTensor> lay_out(std::vector<DraftTensor> drafts, std::uint64_t data_begin,
                                  std::uint64_t file_bytes, const std::string& file_name);

}  // namespace stemma
