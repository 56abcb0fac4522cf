// Which words of a command line are models, and which are overrides?
#include "pipeline/commands/adhoc.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

namespace stemma {

Configuration adhoc_configuration(const std::vector<std::string>& arguments, const std::string& sheet,
                                  const std::string& name) {
  // JSON is YAML: quoting a stranger's path is the library's business.
  nlohmann::json models = nlohmann::json::array();
  std::vector<Override> overrides;
  Configuration result;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (is_override(arguments[i])) {
      overrides.push_back({arguments[i], fmt::format("argument {}", i + 1)});
      result.overrides += arguments[i] + "\n";
    } else {
      models.push_back({{"path", std::filesystem::absolute(arguments[i]).string()}});
    }
  }
  if (!sheet.empty()) models.push_back({{"sheet", std::filesystem::absolute(sheet).string()}});
  if (models.empty()) throw UsageError("no models were named. Give directories or files, or --sheet");
  const nlohmann::json document{{"schema_version", 1}, {"name", name}, {"models", models}};
  result.original = document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  result.config = parse_run_config(result.original, "command line", overrides, result.notes);
  return result;
}

RunConfig bare_config(const std::vector<Override>& overrides) {
  std::vector<std::string> notes;
  return parse_run_config("{schema_version: 1, name: none, models: [none]}", "command line", overrides,
                          notes);
}

}  // namespace stemma
