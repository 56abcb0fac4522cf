// One rule for each kind of tokenizer.
#include "io/formats/token_spelling.hpp"

#include <array>
#include <optional>

#include "io/model/utf8.hpp"

namespace stemma {
namespace {

/// GPT-2's characters for bytes: printable ones of Latin-1 stand for themselves, the others for 256, 257, ...
/// in ascending order. Nothing for other characters.
std::optional<char> byte_of(char32_t character) {
  static const auto table = [] {
    std::array<int, 324> bytes{};
    bytes.fill(-1);
    std::size_t next = 256;
    for (int b = 0; b < 256; ++b) {
      const bool printable_one = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      bytes[printable_one ? static_cast<std::size_t>(b) : next++] = b;
    }
    return bytes;
  }();
  if (character >= table.size() || table[character] < 0) return std::nullopt;
  return static_cast<char>(table[character]);
}

std::string from_byte_level(std::string_view text) {
  std::string bytes;
  for (std::string_view rest = text; !rest.empty();) {
    const Utf8Character character = first_character(rest);
    const auto byte = byte_of(character.code);
    if (character.length == 0 || !byte) return std::string(text);
    bytes += *byte;
    rest.remove_prefix(character.length);
  }
  return bytes;
}

std::string from_sentence_piece(std::string_view text) {
  constexpr std::string_view space = "\u2581";
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  if (text.size() == 6 && text.starts_with("<0x") && text.ends_with('>') && digit(text[3]) >= 0 &&
      digit(text[4]) >= 0)
    return std::string(1, static_cast<char>(16 * digit(text[3]) + digit(text[4])));
  std::string bytes;
  while (!text.empty()) {
    const bool blank = text.starts_with(space);
    bytes += blank ? ' ' : text.front();
    text.remove_prefix(blank ? space.size() : 1);
  }
  return bytes;
}

}  // namespace

std::string spelled_out(std::string_view text, TokenSpelling spelling) {
  switch (spelling) {
    case TokenSpelling::byte_level:
      return from_byte_level(text);
    case TokenSpelling::word_piece:
      return text.starts_with("##") ? std::string(text.substr(2)) : " " + std::string(text);
    case TokenSpelling::sentence_piece:
      break;
  }
  return from_sentence_piece(text);
}

}  // namespace stemma
