// How does a GGUF file begin?
#pragma once
#include <cstdint>
#include <string_view>

#include "io/formats/gguf_cursor.hpp"

namespace stemma {

/// Whether these first bytes are those of a GGUF file.
bool resembles_gguf(std::string_view head);

struct GgufHead {
  std::uint64_t tensors = 0;  ///< entries of the directory, behind the pairs
  std::uint64_t pairs = 0;    ///< keys with their values, which come next
};

/// Reads the fixed part. Throws InvalidInput (gguf.magic, gguf.version, gguf.counts, gguf.truncated).
GgufHead read_gguf_head(GgufCursor& cursor);

}  // namespace stemma
