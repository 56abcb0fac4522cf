// The parser knows all that can be said about an option, so nothing is declared twice.
#include "pipeline/commands/option_table.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "pipeline/commands/usage_sentence.hpp"

namespace stemma {
namespace {

OptionRow row_of(const CLI::Option& option) {
  OptionRow row;
  for (const std::string& name : option.get_snames()) row.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) row.names.push_back("--" + name);
  if (option.get_items_expected_max() > 0) row.value = option.get_type_name();
  row.meaning = option.get_description();
  if (const std::string standard = option.get_default_str(); !standard.empty())
    row.meaning += fmt::format(" (default: {})", standard);
  return row;
}

}  // namespace

std::string OptionRow::title() const {
  if (names.empty()) return value;
  return fmt::format("{}{}{}", fmt::join(names, ", "), value.empty() ? "" : " ", value);
}

std::string VerbRows::argument() const {
  return arguments.empty() ? ""
                           : arguments.front().value.substr(0, arguments.front().value.find_first_of(" [."));
}

bool VerbRows::takes_overrides() const {
  return !arguments.empty() && arguments.front().meaning.find("overrides") != std::string::npos;
}

VerbRows rows_of(const CLI::App& app) {
  const bool is_verb = app.get_parent() != nullptr;
  VerbRows rows{.name = app.get_name(), .summary = app.get_description(), .footer = app.get_footer()};
  rows.usage = is_verb ? "stemma " + rows.name : "stemma VERB [ARGUMENT...]";
  for (const CLI::Option* option : app.get_options()) {
    if (option == app.get_help_ptr() && is_verb) continue;  // stands with those of every verb
    const OptionRow row = row_of(*option);
    if (!option->get_positional()) {
      rows.options.push_back(row);
      continue;
    }
    rows.usage += option->get_required() ? " " + row.value : fmt::format(" [{}]", row.value);
    rows.arguments.push_back(row);
  }
  rows.usage += " [OPTION...]";
  return rows;
}

std::vector<VerbRows> option_table(CLI::App& program) {
  std::vector<CLI::App*> apps = program.get_subcommands([](CLI::App*) { return true; });
  apps.insert(apps.begin(), &program);
  std::vector<VerbRows> table;
  for (CLI::App* app : apps) {
    VerbRows& rows = table.emplace_back(rows_of(*app));
    for (auto* list : {&rows.arguments, &rows.options})
      for (OptionRow& row : *list)
        for (CLI::Option* option : app->get_options())
          if (row_of(*option).title() == row.title()) row.choices = choices_of(*option);
  }
  return table;
}

}  // namespace stemma
