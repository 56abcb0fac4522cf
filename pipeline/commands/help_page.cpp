// How is a page of help laid out?
#include "pipeline/commands/help_page.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "io/report/columns.hpp"

namespace stemma {
namespace {

using Rows = std::vector<std::vector<std::string>>;

/// A heading and columns below it; nothing at all without rows.
std::string block(const std::string& heading, const Rows& rows) {
  return rows.empty() ? "" : fmt::format("\n{}\n{}", heading, aligned(rows));
}

/// "-o, --output FILE"
std::string name_of(const CLI::Option& option) {
  if (option.get_positional()) return option.get_type_name();
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  const bool flag = option.get_items_expected_max() == 0;
  return fmt::format("{}{}{}", fmt::join(names, ", "), flag ? "" : " ", flag ? "" : option.get_type_name());
}

Rows options_of(const CLI::App& app, bool positional) {
  Rows rows;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() != positional) continue;
    if (option == app.get_help_ptr() && app.get_parent()) continue;  // stands with those of every verb
    const std::string standard = option->get_default_str();
    rows.push_back({name_of(*option), option->get_description() +
                                          (standard.empty() ? "" : fmt::format(" (default: {})", standard))});
  }
  return rows;
}

std::string usage_of(const CLI::App& app) {
  std::string usage = "stemma " + app.get_name();
  for (const CLI::Option* option : app.get_options())
    if (option->get_positional())
      usage += option->get_required() ? " " + option->get_type_name()
                                      : fmt::format(" [{}]", option->get_type_name());
  return usage + " [OPTION...]";
}

class HelpPage final : public CLI::FormatterBase {
 public:
  explicit HelpPage(const std::vector<std::unique_ptr<Command>>& commands) : commands_(commands) {}

  std::string make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const override {
    const CLI::App* program = app->get_parent();
    return program ? page_of_verb(*app, *program) : page_of_program(*app);
  }

 private:
  std::string page_of_program(const CLI::App& app) const {
    Rows verbs, examples;
    for (const auto& command : commands_) {
      verbs.push_back({std::string(command->name()), std::string(command->summary())});
      const Example first = command->examples().front();
      examples.push_back({std::string(first.line), std::string(first.meaning)});
    }
    return fmt::format("{}\n{}{}{}{}\nstemma help VERB says more about one of them.\n", app.get_description(),
                       block("Examples", examples),
                       block("Usage", {{"stemma VERB [ARGUMENT...] [OPTION...]"}}), block("Verbs", verbs),
                       block("Options of every verb", options_of(app, false)));
  }

  std::string page_of_verb(const CLI::App& app, const CLI::App& program) const {
    Rows examples;
    const auto command = std::find_if(commands_.begin(), commands_.end(),
                                      [&](const auto& c) { return c->name() == app.get_name(); });
    for (const Example& example : (*command)->examples())
      examples.push_back({std::string(example.line), std::string(example.meaning)});
    return fmt::format("stemma {}: {}\n{}{}{}{}{}", app.get_name(), app.get_description(),
                       block("Examples", examples), block("Usage", {{usage_of(app)}}),
                       block("Arguments", options_of(app, true)), block("Options", options_of(app, false)),
                       block("Options of every verb", options_of(program, false))) +
           (app.get_footer().empty() ? "" : fmt::format("\n{}\n", app.get_footer()));
  }

  const std::vector<std::unique_ptr<Command>>& commands_;
};

}  // namespace

std::shared_ptr<CLI::FormatterBase> help_page(const std::vector<std::unique_ptr<Command>>& commands) {
  return std::make_shared<HelpPage>(commands);
}

}  // namespace stemma
