// Single quotes protect everything but themselves.
#include "io/report/shell_word.hpp"

#include "io/model/finding.hpp"

namespace stemma {

std::string shell_word(std::string_view text) {
  constexpr std::size_t longest = 4000;
  if (!text.empty() && text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                              "_./@:+-") == std::string_view::npos)
    return std::string(text);
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return printable(word + "'", longest);
}

}  // namespace stemma
