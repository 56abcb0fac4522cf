// How do models named on the command line become a configuration?
#pragma once
#include <string>
#include <vector>

#include "pipeline/commands/request.hpp"
#include "pipeline/commands/words.hpp"

namespace stemma {

/// A configuration of these models (locations, globs taken literally) or of one sheet, with all defaults and
/// the overrides among the words applied. Problems have the places of the words. Throws UsageError,
/// ConfigProblems.
Configuration adhoc_configuration(const std::vector<Word>& words, const std::string& sheet,
                                  const std::string& name);

/// A configuration without models, for verbs that have none: defaults, environment and overrides, read as in
/// a file. Throws ConfigProblems.
RunConfig bare_config(const std::vector<Override>& overrides);

}  // namespace stemma
