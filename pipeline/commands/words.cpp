// An empty word is what a shell makes of a variable that is not set.
#include "pipeline/commands/words.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <fstream>
#include <iostream>

#include "io/archive/storage_error.hpp"
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

std::vector<Word> words_of(const std::vector<std::string>& arguments, const std::string& list) {
  std::vector<Word> words = words_of(arguments);
  if (list.empty()) return words;
  std::ifstream file;
  if (list != "-") {
    file.open(list);
    if (!file) throw StorageError(list, "", "read", errno);
  }
  std::istream& lines = list == "-" ? std::cin : file;
  const std::string name = list == "-" ? "standard input" : list;
  std::vector<Problem> problems;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    const auto complain = [&](const std::string& message) {
      problems.push_back({.file = name, .line = number, .message = message});
    };
    if (line.empty())
      complain("it is empty and names nothing");
    else if (first_invalid_utf8(line) != line.size())
      complain(fmt::format("{} holds bytes that are not text (UTF-8)", printable(line)));
    words.push_back({line, fmt::format("{}:{}", printable(name), number), false});
  }
  if (lines.bad()) throw StorageError(name, "", "read", errno);
  if (number == 0) problems.push_back({.file = name, .message = "it is empty and names nothing"});
  if (!problems.empty()) throw ConfigProblems(std::move(problems));
  return words;
}

void declare_list(CLI::App& app, std::string& list) {
  app.add_option("--from-file", list, "a file with one location a line; - for standard input")
      ->type_name("FILE");
}

}  // namespace stemma
