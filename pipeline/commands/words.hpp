// Which words of a command line are overrides, and where did each stand?
#pragma once
#include <string>
#include <vector>

#include "io/config/overrides.hpp"

namespace CLI {
class App;
}

namespace stemma {

/// A positional argument of a verb. `place` is its name in messages: "argument 2".
struct Word {
  std::string text;
  std::string place;
  bool changes = false;  ///< it has the form of an override

  Override as_override() const { return {text, place}; }
};

/// Counts from 1. Throws ConfigProblems for every word that is empty or no text (UTF-8): it names nothing.
std::vector<Word> words_of(const std::vector<std::string>& arguments);

/// The same, then the lines of the file `list`, "-" for standard input, "" for none: each a location,
/// whatever it looks like, and none empty. Their place is that of the line. Throws StorageError, too.
std::vector<Word> words_of(const std::vector<std::string>& arguments, const std::string& list);

/// --from-file, for such a list.
void declare_list(CLI::App& app, std::string& list);

}  // namespace stemma
