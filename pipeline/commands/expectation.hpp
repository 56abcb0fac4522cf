// Does an archive say of pairs what a sheet of the truth says?
#pragma once
#include <string>
#include <vector>

#include "io/archive/archive_reader.hpp"

namespace stemma {

/// A pair of the sheet of which the archive says something else.
struct Unexpected {
  std::string a, b, expected;
  std::string found;  ///< a class, "ABSTAIN(reason)", or "" when the pair was not compared
};

struct Expectation {
  std::size_t pairs = 0;  ///< rows of the sheet
  std::vector<Unexpected> differing;
};

/// "a and b: LOW_RANK_RELATED found, finetune expected"
std::string sentence(const Unexpected& unexpected);

/// Words for what was made of a model, which a sheet may say beside classes; several classes may fulfil one.
std::vector<std::string> words_for_deeds();

/// Holds an archive to a table with columns a, b and relation, which is a class or one of words_for_deeds, or
/// some of them with | between them. Pairs are unordered, and those that the table leaves out are not looked
/// at. Throws ConfigProblems for models that the archive does not have and words that mean nothing, each with
/// its line.
Expectation hold_to(const ArchiveReader& archive, const std::string& sheet);

}  // namespace stemma
