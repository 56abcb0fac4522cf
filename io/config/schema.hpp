// What may a configuration hold, told to editors, to readers, and by example?
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stemma {

/// JSON Schema draft-07 of a run configuration: configs/stemma.schema.json.
std::string json_schema();

/// JSON Schema draft-07 of one row of a sheet.
std::string sheet_json_schema();

/// The reference of all keys: configs/README.md.
std::string markdown();

/// One line per key for a terminal: key, type, default, meaning.
std::string help_text();

/// A commented template: minimal, demo, audit, sweep (the files configs/NAME.yaml) or sheet. nullopt for
/// other names.
std::optional<std::string> example(std::string_view name);
const std::vector<std::string>& example_names();

}  // namespace stemma
