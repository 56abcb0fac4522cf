// tokenizer.json is text that is read whole; of a GGUF file two lists are.
#include "io/formats/vocabulary_file.hpp"

#include <xxhash.h>

#include <memory>

#include "io/formats/descriptor.hpp"
#include "io/formats/gguf_head.hpp"
#include "io/formats/gguf_tokens.hpp"
#include "io/formats/limits.hpp"
#include "io/formats/small_file.hpp"
#include "io/formats/token_spelling.hpp"
#include "io/formats/vocabulary.hpp"

namespace stemma {
namespace {

std::vector<Token> tokens_of(const GgufTokens& stored) {
  const TokenSpelling spelling =
      stored.model == "gpt2" ? TokenSpelling::byte_level : TokenSpelling::sentence_piece;
  std::vector<Token> tokens;
  for (std::uint32_t row = 0; row < stored.pieces.size(); ++row)
    if (stored.is_ordinary(row)) tokens.push_back({row, spelled_out(stored.pieces[row], spelling)});
  return tokens;
}

/// Of pieces with their lengths, so that no two lists look alike.
std::uint64_t hash_of(const GgufTokens& stored) {
  std::uint64_t hash = XXH3_64bits(stored.model.data(), stored.model.size());
  for (const std::string& piece : stored.pieces)
    hash = XXH3_64bits_withSeed(piece.data(), piece.size(), hash + piece.size());
  return XXH3_64bits_withSeed(stored.kinds.data(), stored.kinds.size() * sizeof(std::int32_t), hash);
}

}  // namespace

StoredVocabulary read_vocabulary(const std::string& path) {
  if (resembles_gguf(read_head(path, 4))) {
    const auto stored = std::make_shared<const GgufTokens>(read_gguf_tokens(path));
    return {hash_of(*stored), [stored] { return tokens_of(*stored); }};
  }
  const auto text = std::make_shared<const std::string>(read_whole(path, limits::vocabulary_bytes));
  return {XXH3_64bits(text->data(), text->size()),
          [text, name = file_name_of(path)] { return parse_vocabulary(*text, name); }};
}

}  // namespace stemma
