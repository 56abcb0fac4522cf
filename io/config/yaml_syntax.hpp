// What is wrong with a text that a YAML parser refuses, in the words of somebody who knows what was meant?
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "io/config/complaints.hpp"

namespace stemma {

/// Offset of the first byte that is neither valid UTF-8 nor a printable character, tab, CR or LF; npos if
/// none.
std::size_t first_bad_byte(std::string_view text);

/// What to say of that byte; `what` begins the rule: "a sheet is".
std::string bad_byte_sentence(std::string_view text, std::size_t at, std::string_view what);

/// Line and column, in characters, of a byte of the text.
Place place_at(std::string_view text, std::size_t offset);

/// Notes one problem for every line that is indented by a tab, the first 50.
void complain_about_tabs(std::string_view text, Complaints& complaints);

/// Where the second of several documents begins: at the first --- behind content or behind another ---.
Place second_document(std::string_view text);

/// Explains a parser's refusal at `offset`; `parser_words` is the last resort.
void complain_about_syntax(std::string_view text, std::size_t offset, const std::string& parser_words,
                           Complaints& complaints);

}  // namespace stemma
