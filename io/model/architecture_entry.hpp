// What does one line under `tensors:` say?
#pragma once
#include <optional>
#include <string>

#include "io/config/complaints.hpp"
#include "io/model/architecture_table.hpp"

namespace stemma {

/// nullopt when names or roles are missing or wrong; all faults go to `complaints`.
std::optional<Entry> read_entry(const YamlNode& node, const std::string& path, Complaints& complaints);

}  // namespace stemma
