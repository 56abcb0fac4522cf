// Which vocabulary does a file hold, a tokenizer.json or a GGUF file?
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "io/model/anchor_tokens.hpp"

namespace stemma {

/// A vocabulary that was read, and is parsed when somebody wants it.
struct StoredVocabulary {
  std::uint64_t hash = 0;  ///< XXH3-64 of what makes it up; files with one hash hold one vocabulary
  std::function<std::vector<Token>()> parse;  ///< ascending by row; throws InvalidInput
};

/// The first bytes decide which kind of file it is. Special tokens, and those that users added, are left out.
/// Throws InvalidInput (file.*, limit.file_size, and what the format's reader throws).
StoredVocabulary read_vocabulary(const std::string& path);

}  // namespace stemma
