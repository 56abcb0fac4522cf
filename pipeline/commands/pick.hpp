// Which of the named models are meant, by a table of ids?
#pragma once
#include <string>
#include <vector>

#include "pipeline/survey.hpp"

namespace CLI {
class App;
}

namespace stemma {

/// --pick FILE:COLUMN
void declare_pick(CLI::App& app, std::string& pick);

/// Keeps the models whose ids stand in that column, in their order; all of them for "". Throws UsageError for
/// a text without a column, ConfigProblems for a table that cannot be read, ids that no model has and a table
/// without rows.
void keep_picked(const std::string& pick, std::vector<ModelRequest>& models);

}  // namespace stemma
