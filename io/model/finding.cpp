// How is a finding said in one printable line?
#include "io/model/finding.hpp"

#include <fmt/format.h>

#include "io/model/utf8.hpp"

namespace stemma {
namespace {

constexpr std::size_t detail_limit = 600;  // hints quote names that are cut themselves

/// Characters that a terminal or a page would obey, hide or reorder instead of showing them.
bool misleads(char32_t c) {
  const bool control = c < 0x20 || (c >= 0x7F && c <= 0x9F);
  const bool bidirectional = c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
                             (c >= 0x2066 && c <= 0x2069);
  const bool breaks_line = c == 0x2028 || c == 0x2029;
  const bool invisible = (c >= 0x200B && c <= 0x200D) || c == 0x2060 || c == 0xFEFF;
  return control || bidirectional || breaks_line || invisible;
}

}  // namespace

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::note:
      return "note";
  }
  return "error";
}

std::string printable(std::string_view text, std::size_t limit) {
  constexpr std::string_view ellipsis = "...";
  std::string out;
  while (!text.empty()) {
    const Utf8Character character = first_character(text);
    const std::size_t length = character.length == 0 ? 1 : character.length;
    std::string piece;
    if (character.length == 0 || (misleads(character.code) && character.code < 0x80)) {
      piece = fmt::format("\\x{:02X}", static_cast<unsigned char>(text.front()));
    } else if (misleads(character.code)) {
      piece = fmt::format("\\u{{{:04X}}}", static_cast<std::uint32_t>(character.code));
    } else {
      piece = text.substr(0, length);
    }
    if (out.size() + piece.size() > limit) return out.append(ellipsis);
    out += piece;
    text.remove_prefix(length);
  }
  return out;
}

std::string sentence(const Finding& finding) {
  std::string line;
  const auto append = [&](std::string_view separator, std::string_view part) {
    if (!line.empty()) line += separator;
    line += part;
  };
  if (!finding.file.empty()) append(": ", printable(finding.file));
  if (!finding.tensor.empty()) append(": ", fmt::format("tensor \"{}\"", printable(finding.tensor)));
  if (finding.byte_offset) append(": ", fmt::format("byte {}", *finding.byte_offset));
  append(": ", printable(finding.rule));

  const std::string found = printable(finding.found), expected = printable(finding.expected);
  if (!found.empty()) append(": ", "found " + found);
  if (!expected.empty()) append(found.empty() ? ": " : ", ", "expected " + expected);
  if (!finding.hint.empty()) append(": ", printable(finding.hint, detail_limit));
  return line;
}

}  // namespace stemma
