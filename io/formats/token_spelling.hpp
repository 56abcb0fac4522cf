// Which bytes does the string of a token stand for?
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace stemma {

/// How strings of a vocabulary spell bytes: with U+2581 as a space and <0xNN> as a byte; through GPT-2's
/// table of characters; with a space before every word that does not begin with ##.
enum class TokenSpelling : std::uint8_t { sentence_piece, byte_level, word_piece };

std::string spelled_out(std::string_view text, TokenSpelling spelling);

}  // namespace stemma
