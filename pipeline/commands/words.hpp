// Which words of a command line are overrides, and where did each stand?
#pragma once
#include <string>
#include <vector>

#include "io/config/overrides.hpp"

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

}  // namespace stemma
