// An id that no model has is a mistake of the table, and the row is named.
#include "pipeline/commands/pick.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>

#include "io/config/problems.hpp"
#include "io/config/yaml_section.hpp"
#include "io/report/tsv.hpp"
#include "pipeline/commands/command.hpp"
#include "pipeline/wording.hpp"

namespace stemma {

void declare_pick(CLI::App& app, std::string& pick) {
  app.add_option("--pick", pick, "only the models whose ids stand in a column of this table")
      ->type_name("FILE:COLUMN");
}

void keep_picked(const std::string& pick, std::vector<ModelRequest>& models) {
  if (pick.empty()) return;
  const std::size_t colon = pick.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == pick.size())
    throw UsageError(fmt::format("--pick {} names no column: write FILE:COLUMN, such as verdicts.tsv:id",
                                 printable(pick)));
  const std::string file = pick.substr(0, colon);
  std::vector<std::string> ids;
  for (const ModelRequest& model : models) ids.push_back(model.id);
  const std::set<std::string> known(ids.begin(), ids.end());
  std::set<std::string> picked;
  std::vector<Problem> problems;
  int line = 1;
  for (const auto& row : read_tsv(file, {pick.substr(colon + 1)})) {
    ++line;
    picked.insert(row[0]);
    if (known.contains(row[0])) continue;
    const auto close = nearest(row[0], ids);
    problems.push_back(
        {.file = file,
         .line = line,
         .message = fmt::format("{} is none of the {}{}", printable(row[0]), counted(ids.size(), "model"),
                                close ? fmt::format(". Did you mean {}?", *close) : "")});
  }
  if (picked.empty())
    problems.push_back({.file = file, .message = "it has no row, so --pick leaves no model"});
  if (!problems.empty()) throw ConfigProblems(std::move(problems));
  std::erase_if(models, [&](const ModelRequest& model) { return !picked.contains(model.id); });
}

}  // namespace stemma
