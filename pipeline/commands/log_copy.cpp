// A copy is appended to, so that all attempts of a run may have one file.
#include "pipeline/commands/log_copy.hpp"

#include <CLI/CLI.hpp>

#include "pipeline/commands/usage_sentence.hpp"

namespace stemma {

void LogCopy::declare(CLI::App& app) {
  CLI::Option* where =
      app.add_option("--log-file", file, "append a copy of the log to this file")->type_name("FILE");
  app.add_option("--log-format", format, "of that copy: text, or json (one object a line)")
      ->check(one_of({"text", "json"}))
      ->type_name("FORM")
      ->default_str("text")
      ->needs(where);
}

void LogCopy::begin(Log& log) const {
  if (!file.empty()) log.copy_to(file, format == "json" ? LogFormat::json : LogFormat::text);
}

}  // namespace stemma
