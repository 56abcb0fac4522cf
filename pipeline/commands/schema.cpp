// stemma schema: what may a configuration, a sheet, an archive or a command line hold?
#include "io/config/schema.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "io/archive/layout.hpp"
#include "pipeline/commands/command.hpp"
#include "pipeline/commands/completion.hpp"
#include "pipeline/commands/manual_page.hpp"
#include "pipeline/commands/usage_sentence.hpp"

namespace stemma {
namespace {

class SchemaCommand final : public Command {
 public:
  std::string_view name() const override { return "schema"; }
  std::string_view summary() const override {
    return "print the JSON Schema of a document, a template, the table of keys, or the manual";
  }
  std::vector<Example> examples() const override {
    return {{"stemma schema --example audit > audit.yaml", "a commented configuration to edit"},
            {"stemma schema --completion bash > stemma.bash", "then: source stemma.bash"},
            {"stemma schema > stemma.schema.json", "for editors: completion and checks"},
            {"stemma schema --markdown", "every key with type, default and meaning"}};
  }

  void declare(CLI::App& app) override {
    app.add_option("document", document_, "config, sheet or archive")
        ->check(one_of({"config", "sheet", "archive"}))
        ->type_name("DOCUMENT")
        ->default_str("config");
    app.add_flag("--markdown", markdown_, "all keys of a configuration, as Markdown (configs/README.md)");
    app.add_option("--example", example_,
                   fmt::format("a commented template: {}", fmt::join(example_names(), ", ")))
        ->check(one_of(example_names()))
        ->type_name("NAME");
    app.add_option("--completion", shell_, "a script that completes the words of a command line: bash")
        ->check(one_of({"bash"}))
        ->type_name("SHELL");
    app.add_flag("--man", man_, "the manual page, for man -l");
    program_ = app.get_parent();
  }

  ExitCode execute(const Invocation&, const World&) override {
    if (!example_.empty()) {
      fmt::print("{}", *example(example_));
    } else if (!shell_.empty()) {
      fmt::print("{}", bash_completion(option_table(*program_), key_table()));
    } else if (man_) {
      fmt::print("{}", manual_page(option_table(*program_)));
    } else if (markdown_) {
      fmt::print("{}", markdown());
    } else if (document_ == "archive") {
      fmt::print("{}", layout::as_text());
    } else {
      fmt::print("{}", document_ == "sheet" ? sheet_json_schema() : json_schema());
    }
    return ExitCode::done;
  }

 private:
  std::string document_ = "config", example_, shell_;
  bool markdown_ = false, man_ = false;
  CLI::App* program_ = nullptr;  ///< whose verbs are all declared when one is carried out
};

}  // namespace

std::unique_ptr<Command> schema_command() { return std::make_unique<SchemaCommand>(); }

}  // namespace stemma
