// Every model is an override that appends to an empty list: so its problems have the place of its word.
#include "pipeline/commands/adhoc.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "io/config/hub_cache.hpp"

namespace stemma {
namespace {

/// JSON is YAML: quoting a stranger's path is the library's business.
std::string quoted(const nlohmann::json& value, int indent = -1) {
  return value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Configuration adhoc_configuration(const std::vector<Word>& words, const std::string& sheet,
                                  const std::string& name) {
  nlohmann::json document{{"schema_version", 1}, {"name", name}, {"models", nlohmann::json::array()}};
  const std::string without_models = quoted(document);
  std::vector<Override> changes;
  Configuration result;
  const auto add = [&](const char* kind, const std::string& location, const std::string& place) {
    const ExpandedPath found = model_location(location, ".", process_environment());
    const bool is_known = kind == std::string_view("path") && found.problem.empty();
    const bool is_hub_name = location.starts_with("hf:");
    const nlohmann::json entry{{kind, is_known      ? found.path
                                      : is_hub_name ? location
                                                    : std::filesystem::absolute(location).string()}};
    document["models"].push_back(entry);
    changes.push_back({"models+=" + quoted(entry), place});
  };
  for (const Word& word : words) {
    if (word.changes)
      result.overrides += word.text + "\n";
    else
      add("path", word.text, word.place);
  }
  if (!sheet.empty()) add("sheet", sheet, "--sheet");
  if (changes.empty()) throw UsageError("no models were named. Give directories or files, or --sheet");
  for (const Word& word : words)
    if (word.changes) changes.push_back(word.as_override());
  result.original = quoted(document, 2) + "\n";
  result.config = parse_run_config(without_models, "command line", changes, result.notes);
  return result;
}

RunConfig bare_config(const std::vector<Override>& overrides) {
  std::vector<std::string> notes;
  return parse_run_config("{schema_version: 1, name: none, models: [none]}", "command line", overrides,
                          notes);
}

}  // namespace stemma
