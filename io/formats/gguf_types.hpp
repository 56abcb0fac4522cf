// Which number types does GGUF know, how large are they, and which of them can be read?
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "io/model/dtype.hpp"

namespace stemma {

struct GgufType {
  std::uint32_t id = 0;  ///< of the format
  std::string_view name;
  std::uint64_t values = 1;    ///< of a block; 0 where a type was taken out of the format again
  std::uint64_t bytes = 0;     ///< of a block
  std::optional<Dtype> plain;  ///< where values lie on disk as such
  std::string_view codec;      ///< of block_codec(), "" where there is none

  bool is_removed() const { return values == 0; }
  bool is_quantised() const { return values > 1; }
  bool is_readable() const { return plain.has_value() || !codec.empty(); }
};

/// Nullptr for a number that the format does not know (yet).
const GgufType* gguf_type(std::uint32_t id);

}  // namespace stemma
