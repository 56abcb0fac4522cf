// What does the text of one table file say, before it is compared with other tables?
#pragma once
#include <filesystem>
#include <optional>

#include "io/config/complaints.hpp"
#include "io/model/architecture_table.hpp"

namespace stemma {

/// Reads one table; every key of the format is read here and nowhere else. Faults go to `complaints`; a table
/// with faults still comes back when it has a family name, so that others can refer to it.
std::optional<Architecture> read_architecture(const std::filesystem::path& file, Complaints& complaints);

}  // namespace stemma
