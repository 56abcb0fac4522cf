// How is a page of help laid out?
#include "pipeline/commands/help_page.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "io/report/columns.hpp"
#include "pipeline/commands/option_table.hpp"

namespace stemma {
namespace {

using Rows = std::vector<std::vector<std::string>>;

/// A heading and columns below it; nothing at all without rows.
std::string block(const std::string& heading, const Rows& rows) {
  return rows.empty() ? "" : fmt::format("\n{}\n{}", heading, aligned(rows));
}

Rows as_columns(const std::vector<OptionRow>& options) {
  Rows rows;
  for (const OptionRow& option : options) rows.push_back({option.title(), option.meaning});
  return rows;
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
                       block("Options of every verb", as_columns(rows_of(app).options)));
  }

  std::string page_of_verb(const CLI::App& app, const CLI::App& program) const {
    Rows examples;
    const auto command = std::find_if(commands_.begin(), commands_.end(),
                                      [&](const auto& c) { return c->name() == app.get_name(); });
    for (const Example& example : (*command)->examples())
      examples.push_back({std::string(example.line), std::string(example.meaning)});
    const VerbRows rows = rows_of(app);
    return fmt::format("stemma {}: {}\n{}{}{}{}{}", rows.name, rows.summary, block("Examples", examples),
                       block("Usage", {{rows.usage}}), block("Arguments", as_columns(rows.arguments)),
                       block("Options", as_columns(rows.options)),
                       block("Options of every verb", as_columns(rows_of(program).options))) +
           (rows.footer.empty() ? "" : fmt::format("\n{}\n", rows.footer));
  }

  const std::vector<std::unique_ptr<Command>>& commands_;
};

}  // namespace

std::shared_ptr<CLI::FormatterBase> help_page(const std::vector<std::unique_ptr<Command>>& commands) {
  return std::make_shared<HelpPage>(commands);
}

}  // namespace stemma
