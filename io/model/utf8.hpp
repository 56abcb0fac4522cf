// Is this byte sequence UTF-8, and which character comes next?
#pragma once
#include <cstddef>
#include <cstring>
#include <string_view>

namespace stemma {

/// One decoded character; length 0 says that the bytes are no UTF-8.
struct Utf8Character {
  char32_t code = 0;
  std::size_t length = 0;
};

/// The character at the front of `text`. Overlong forms, surrogates and codes beyond U+10FFFF are refused.
inline Utf8Character first_character(std::string_view text) {
  if (text.empty()) return {};
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  char32_t code = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3FU);
  }
  constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < smallest[length] || code > 0x10FFFF || surrogate) return {};
  return {code, length};
}

/// Index of the first byte that is not UTF-8, text.size() when all of it is.
inline std::size_t first_invalid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    unsigned long long word = 0;
    if (text.size() - at >=
        sizeof word) {  // eight ASCII bytes at once: headers are 100 MB at most, mostly ASCII
      std::memcpy(&word, text.data() + at, sizeof word);
      if ((word & 0x8080808080808080ULL) == 0) {
        at += sizeof word;
        continue;
      }
    }
    const Utf8Character character = first_character(text.substr(at));
    if (character.length == 0) return at;
    at += character.length;
  }
  return at;
}

}  // namespace stemma
