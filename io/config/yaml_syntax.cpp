// The bytes and lines are looked at themselves: what is no UTF-8, and the slips that people make most.
#include "io/config/yaml_syntax.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace stemma {
namespace {

constexpr std::string_view blanks = " \t";

/// Length of the valid UTF-8 sequence at the beginning of `text`, 0 when there is none. Surrogates, overlong
/// forms and code points past U+10FFFF are invalid (RFC 3629).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                             : lead >= 0xE0 && lead <= 0xEF ? 3
                             : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                            : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  const unsigned char second = byte(1);
  const bool forbidden = (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
                         (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F);
  return forbidden ? 0 : length;
}

std::size_t line_start(std::string_view text, std::size_t offset) {
  const std::size_t newline = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
  return newline == std::string_view::npos ? 0 : newline + 1;
}

std::string_view line_at(std::string_view text, std::size_t start) {
  std::string_view line = text.substr(start);
  line = line.substr(0, line.find('\n'));
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

std::string_view reading_of(char first) {
  switch (first) {
    case '*':
      return "an alias";
    case '&':
      return "an anchor";
    case '@':
    case '`':
      return "a reserved character";
    case '%':
      return "a directive";
    case '{':
      return "the start of a mapping";
    case '[':
      return "the start of a list";
    default:
      return "";
  }
}

/// Offset within the line of the value behind "- " and "key: ".
std::size_t value_offset(std::string_view line) {
  std::size_t at = std::min(line.find_first_not_of(blanks), line.size());
  while (line.substr(at).starts_with("- "))
    at = std::min(line.find_first_not_of(blanks, at + 1), line.size());
  if (at < line.size() && (line[at] == '"' || line[at] == '\'')) return at;
  const std::size_t colon = line.find(": ", at);
  if (colon == std::string_view::npos || !reading_of(line[at]).empty()) return at;
  return std::min(line.find_first_not_of(blanks, colon + 1), line.size());
}

struct Explanation {
  std::size_t offset;
  std::string message;
};

std::string quote_it(std::string_view value) {
  value = value.substr(0, value.find(" #"));
  while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
  return value.empty() ? "Quote it" : fmt::format("Quote it: \"{}\"", shown(value));
}

/// What a line suffers from, if it is one of the usual things.
std::optional<Explanation> explain_line(std::string_view line) {
  const std::size_t at = value_offset(line);
  if (at >= line.size()) return std::nullopt;
  const std::string_view value = line.substr(at);
  if (const std::string_view reading = reading_of(value[0]); !reading.empty()) {
    const bool bracket = value[0] == '{' || value[0] == '[';
    const std::size_t closing = value.find_last_of("}]");
    const bool more_behind = closing != std::string_view::npos &&
                             value.find_first_not_of(blanks, closing + 1) != std::string_view::npos &&
                             value[value.find_first_not_of(blanks, closing + 1)] != '#';
    if (!bracket || more_behind) {
      return Explanation{at, fmt::format("the value begins with {}, which YAML reads as {}. {}", value[0],
                                         reading, quote_it(value))};
    }
    return std::nullopt;
  }
  if (value[0] != '"' && value[0] != '\'' && value.find(": ") != std::string_view::npos) {
    return Explanation{at,
                       fmt::format("the value holds a colon and a blank, which YAML reads as another key. {}",
                                   quote_it(value))};
  }
  return std::nullopt;
}

}  // namespace

std::size_t first_bad_byte(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F) return i;
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

std::string bad_byte_sentence(std::string_view text, std::size_t at, std::string_view what) {
  const bool utf16 = text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
  const auto byte = static_cast<unsigned char>(text[at]);
  return fmt::format("byte 0x{:02x} is not text ({} UTF-8 without control characters){}", byte, what,
                     utf16          ? ". The file is UTF-16: save it as UTF-8"
                     : byte >= 0x80 ? ". Save it as UTF-8"
                                    : ". Is it the file you meant?");
}

Place place_at(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  const std::size_t start = line_start(text, offset);
  const std::string_view before = text.substr(start, offset - start);
  const auto characters = std::count_if(
      before.begin(), before.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
  const auto lines = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n');
  return {static_cast<int>(lines) + 1, static_cast<int>(characters) + 1, {}};
}

void complain_about_tabs(std::string_view text, Complaints& complaints) {
  int found = 0;
  for (std::size_t start = 0; start < text.size() && found < 50;) {
    const std::string_view line = line_at(text, start);
    const std::size_t content = line.find_first_not_of(blanks);
    const std::size_t tab = line.find('\t');
    if (content != std::string_view::npos && tab < content && line[content] != '#') {
      ++found;
      complaints.add(place_at(text, start + tab), "", "a tab indents this line; YAML wants spaces");
    }
    const std::size_t newline = text.find('\n', start);
    if (newline == std::string_view::npos) return;
    start = newline + 1;
  }
}

Place second_document(std::string_view text) {
  bool begun = false;
  for (std::size_t start = 0; start < text.size();) {
    const std::string_view line = line_at(text, start);
    const std::size_t content = line.find_first_not_of(blanks);
    const bool marker = line.starts_with("---");
    if (marker && begun) return place_at(text, start);
    begun = begun || marker ||
            (content != std::string_view::npos && line[content] != '#' && line[content] != '%');
    start = std::min(text.find('\n', start), text.size() - 1) + 1;
  }
  return {};
}

void complain_about_syntax(std::string_view text, std::size_t offset, const std::string& parser_words,
                           Complaints& complaints) {
  offset = std::min(offset, text.size());
  const auto say = [&](std::size_t at, std::string message) {
    complaints.add(place_at(text, at), "", std::move(message));
  };
  if (offset < text.size() && std::string_view("*&@`%").find(text[offset]) != std::string_view::npos) {
    const std::string_view value = line_at(text, offset);
    return say(offset,
               fmt::format("the value begins with {}, which YAML reads as {}. {}", value[0],
                           reading_of(value[0]), quote_it(value.substr(0, value.find_first_of(",}]")))));
  }
  // The parser often notices only on a later line, so the line before is looked at too.
  std::size_t start = line_start(text, offset);
  for (int back = 0; back < 2; ++back) {
    if (auto explanation = explain_line(line_at(text, start))) {
      return say(start + explanation->offset, std::move(explanation->message));
    }
    if (start == 0) break;
    start = line_start(text, start - 1);
  }
  say(offset,
      fmt::format("this is not YAML ({}). Look at the indentation, the quotes and the brackets before it",
                  shown(parser_words)));
}

}  // namespace stemma
