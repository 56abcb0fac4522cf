// Which tensors does a GGUF file announce, and does every byte behind the header belong to one of them?
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "io/formats/gguf_cursor.hpp"
#include "io/formats/gguf_types.hpp"

namespace stemma {

/// One entry of the directory, with sizes that are known to fit into the file.
struct GgufTensor {
  std::string name;
  std::uint64_t entry_at = 0;        ///< where its entry stands, from the start of the file
  std::vector<std::uint64_t> shape;  ///< row-major: the dimension whose elements are neighbours comes last
  std::uint32_t type_id = 0;
  const GgufType* type = nullptr;  ///< nullptr for one that nobody knows; its size is then 0
  std::uint64_t offset = 0;        ///< from the start of the data, then of the file
  std::uint64_t bytes = 0;

  std::uint64_t elements() const {
    std::uint64_t n = 1;
    for (const std::uint64_t d : shape) n *= d;
    return n;
  }
};

struct GgufDirectory {
  std::uint64_t data_begin = 0;
  std::vector<GgufTensor> tensors;  ///< in the order of their bytes; offsets count from the start of the file
};

/// Reads `count` entries and checks that their data follow each other, each aligned, without holes, up to the
/// end of the file. Throws InvalidInput (gguf.tensor_name, gguf.duplicate_tensor, gguf.n_dims, gguf.ne,
/// gguf.elements, gguf.type, gguf.row_block, gguf.offset, gguf.truncated, gguf.trailing_bytes).
GgufDirectory read_gguf_directory(GgufCursor& cursor, std::uint64_t count, std::uint64_t alignment);

}  // namespace stemma
