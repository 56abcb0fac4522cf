// What does man stemma show?
#pragma once
#include <span>
#include <string>

#include "pipeline/commands/option_table.hpp"

namespace stemma {

/// The page stemma(1) in roff, with the man macros. `table` as option_table gives it; the examples are the
/// first ones of verbs.
std::string manual_page(std::span<const VerbRows> table);

}  // namespace stemma
