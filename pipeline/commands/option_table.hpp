// Which verbs and options are there, as they were declared to the parser?
#pragma once
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace stemma {

/// One option, or one argument, which has no names. Help, man page and completion show the same rows.
struct OptionRow {
  std::vector<std::string> names;    ///< "-o", "--output"
  std::string value;                 ///< "FILE"; "" for a flag
  std::string meaning;               ///< with its default
  std::vector<std::string> choices;  ///< the only values that are taken; found by option_table alone

  /// "-o, --output FILE"
  std::string title() const;
};

/// What belongs to a verb, or with the name "stemma" to all of them.
struct VerbRows {
  std::string name, summary, usage;
  std::string footer;  ///< what else is to be said
  std::vector<OptionRow> arguments, options;

  /// "CONFIG" of "CONFIG [key=value...]"; "" without arguments.
  std::string argument() const;
  /// Whether keys of a configuration may follow, as key=value.
  bool takes_overrides() const;
};

/// Rows of the program itself or of one verb.
VerbRows rows_of(const CLI::App& app);

/// Of the whole command line: the program, then its verbs in the order of the help.
std::vector<VerbRows> option_table(CLI::App& program);

}  // namespace stemma
