// stemma schema: what may a configuration, a sheet or an archive hold?
#include "io/config/schema.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "io/archive/layout.hpp"
#include "pipeline/commands/command.hpp"

namespace stemma {
namespace {

class SchemaCommand final : public Command {
 public:
  std::string_view name() const override { return "schema"; }
  std::string_view summary() const override { return "print the JSON Schema of a document, a template, or the key table"; }

  void declare(CLI::App& app) override {
    app.add_option("document", document_, "config, sheet or archive")
        ->check(CLI::IsMember({"config", "sheet", "archive"}))
        ->default_str("config");
    app.add_flag("--markdown", markdown_, "all keys of a configuration as Markdown (configs/README.md)");
    app.add_option("--example", example_, "a commented template to start from")->check(CLI::IsMember(example_names()));
  }

  ExitCode execute(const Invocation&, const World&) override {
    if (!example_.empty()) {
      fmt::print("{}", *example(example_));
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
  std::string document_ = "config", example_;
  bool markdown_ = false;
};

}  // namespace

std::unique_ptr<Command> schema_command() { return std::make_unique<SchemaCommand>(); }

}  // namespace stemma
