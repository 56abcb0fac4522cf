// Which tokens does a GGUF file list?
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace stemma {

struct GgufTokens {
  std::string model;                ///< tokenizer.ggml.model: "gpt2", "llama", ...
  std::vector<std::string> pieces;  ///< by row; any bytes
  std::vector<std::int32_t> kinds;  ///< by row; none when the file does not say

  /// Neither unknown, control, added by users nor unused; files that do not say have ordinary tokens only.
  bool is_ordinary(std::size_t row) const {
    constexpr std::int32_t normal = 1, byte = 6;
    return row >= kinds.size() || kinds[row] == normal || kinds[row] == byte;
  }
};

/// Throws InvalidInput as the header's readers do, as far as it is read, and limit.file_size for more than
/// 256 MiB of tokens.
GgufTokens read_gguf_tokens(const std::string& path);

}  // namespace stemma
