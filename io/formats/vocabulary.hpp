// Which bytes does each token of a tokenizer.json stand for?
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "io/model/anchor_tokens.hpp"

namespace stemma {

/// The vocabulary of a tokenizer.json, ascending by row, without added and special tokens, which models
/// rename at will. Strings become bytes: of byte-level BPE through GPT-2's table of characters, of WordPiece
/// with a space for every word that begins, otherwise (SentencePiece) with U+2581 as a space and <0xNN> as a
/// byte. Throws InvalidInput (json.*, vocabulary.malformed).
std::vector<Token> parse_vocabulary(std::string_view json, const std::string& file_name);

}  // namespace stemma
