// stemma schema: what may a configuration, a sheet, an archive, a document or a command line hold?
#include "io/config/schema.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "io/archive/layout.hpp"
#include "io/report/columns.hpp"
#include "pipeline/commands/command.hpp"
#include "pipeline/commands/completion.hpp"
#include "pipeline/commands/manual_page.hpp"
#include "pipeline/commands/usage_sentence.hpp"
#include "pipeline/documents/document.hpp"

namespace stemma {
namespace {

/// What people write, and what is no JSON: their words are kept where they are read.
struct Source {
  std::string_view name, place, meaning;
  std::string (*print)();
};
constexpr std::array sources{
    Source{"config", "CONFIG of stemma run", "What a run is asked.", json_schema},
    Source{"sheet", "--sheet, models.tsv", "One row of a table of models.", sheet_json_schema},
    Source{"archive", "RUN/NAME.h5", "Every dataset of an archive (a list, no schema).", layout::as_text}};

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const Source& source : sources) all.emplace_back(source.name);
  for (const documents::Document& document : documents::all_documents()) all.emplace_back(document.name);
  return all;
}

/// The names of all documents, in lines that fit a terminal.
std::string footer() {
  constexpr std::size_t widest = 96;
  std::string text, line = "Documents:";
  for (const std::string& name : names()) {
    if (line.size() + 1 + name.size() > widest) {
      text += line + "\n";
      line = "          ";
    }
    line += " " + name;
  }
  return text + line;
}

std::string list_of_all() {
  std::vector<std::vector<std::string>> rows{{"name", "what it is", "where it is found"}};
  const auto add = [&](const auto& one) {
    rows.push_back({std::string(one.name), std::string(one.meaning), std::string(one.place)});
  };
  std::ranges::for_each(sources, add);
  std::ranges::for_each(documents::all_documents(), add);
  return aligned(rows);
}

std::string schema_named(const std::string& name) {
  for (const Source& source : sources)
    if (source.name == name) return source.print();
  return json_schema_of(*documents::document_named(name));
}

class SchemaCommand final : public Command {
 public:
  std::string_view name() const override { return "schema"; }
  std::string_view summary() const override {
    return "print the JSON Schema of a document, a template, the table of keys, or the manual";
  }
  std::vector<Example> examples() const override {
    return {{"stemma schema --example audit > audit.yaml", "a commented configuration to edit"},
            {"stemma schema --completion bash > stemma.bash", "then: source stemma.bash"},
            {"stemma schema config > stemma.schema.json", "for editors: completion and checks"},
            {"stemma schema verdicts", "what may stand in verdicts.json"},
            {"stemma schema", "all names"},
            {"stemma schema --markdown", "every key with type, default and meaning"}};
  }

  void declare(CLI::App& app) override {
    app.add_option("document", document_, "what to describe; without it the names of all are printed")
        ->check(one_of(names()))
        ->type_name("DOCUMENT");
    app.add_flag("--markdown", markdown_, "all keys of a configuration, as Markdown (configs/README.md)");
    app.add_option("--example", example_,
                   fmt::format("a commented template: {}", fmt::join(example_names(), ", ")))
        ->check(one_of(example_names()))
        ->type_name("NAME");
    app.add_option("--completion", shell_, "a script that completes the words of a command line: bash")
        ->check(one_of({"bash"}))
        ->type_name("SHELL");
    app.add_flag("--man", man_, "the manual page, for man -l");
    app.footer(footer());
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
    } else {
      fmt::print("{}", document_.empty() ? list_of_all() : schema_named(document_));
    }
    return ExitCode::done;
  }

 private:
  std::string document_, example_, shell_;
  bool markdown_ = false, man_ = false;
  CLI::App* program_ = nullptr;  ///< whose verbs are all declared when one is carried out
};

}  // namespace

std::unique_ptr<Command> schema_command() { return std::make_unique<SchemaCommand>(); }

}  // namespace stemma
