// Two lists of metadata that everybody else steps over.
#include "io/formats/gguf_tokens.hpp"

#include <fmt/format.h>

#include "io/formats/file_reader.hpp"
#include "io/formats/gguf_head.hpp"
#include "io/formats/gguf_metadata.hpp"
#include "io/formats/limits.hpp"

namespace stemma {

GgufTokens read_gguf_tokens(const std::string& path) {
  const SourceFile file = stat_source(path);
  FileReader reader;
  GgufTokens tokens;
  const GgufCursor begin(file, reader);

  std::vector<Finding> findings;  // told when the model was opened
  GgufCursor cursor = begin;
  const std::uint64_t pairs = read_gguf_head(cursor).pairs;
  const GgufCursor first_pair = cursor;
  tokens.model = GgufMetadata::read(cursor, pairs, findings).text("tokenizer.ggml.model").value_or("");

  cursor = first_pair;
  std::uint64_t bytes = 0;
  if (const auto list = find_gguf_array(cursor, pairs, "tokenizer.ggml.tokens");
      list && list->kind == GgufKind::string) {
    for (std::uint64_t row = 0; row < list->elements; ++row) {
      const std::uint64_t length = cursor.string_length();
      bytes += length + sizeof(std::string);
      if (bytes > limits::vocabulary_bytes)
        cursor.refuse("limit.file_size", cursor.at(), "more tokens than that",
                      fmt::format("at most {} bytes", limits::vocabulary_bytes));
      tokens.pieces.push_back(cursor.text(length));
    }
  }

  cursor = first_pair;
  if (const auto list = find_gguf_array(cursor, pairs, "tokenizer.ggml.token_type");
      list && list->kind == GgufKind::i32 && list->elements == tokens.pieces.size()) {
    for (std::uint64_t row = 0; row < list->elements; ++row)
      tokens.kinds.push_back(cursor.number<std::int32_t>());
  }
  return tokens;
}

}  // namespace stemma
