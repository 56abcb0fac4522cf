// An empty word is what a shell makes of a variable that is not set.
#include "pipeline/commands/words.hpp"

#include <fmt/format.h>

#include "io/config/problems.hpp"
#include "io/model/finding.hpp"
#include "io/model/utf8.hpp"

namespace stemma {

std::vector<Word> words_of(const std::vector<std::string>& arguments) {
  std::vector<Word> words;
  std::vector<Problem> problems;
  for (const std::string& text : arguments) {
    const std::string place = fmt::format("argument {}", words.size() + 1);
    words.push_back({text, place, is_override(text)});
    if (text.empty())
      problems.push_back(
          {.message = "it is empty and names nothing. Is a variable not set?", .place = place});
    else if (first_invalid_utf8(text) != text.size())
      problems.push_back({.message = fmt::format("{} holds bytes that are not text (UTF-8)", printable(text)),
                          .place = place});
  }
  if (!problems.empty()) throw ConfigProblems(std::move(problems));
  return words;
}

}  // namespace stemma
