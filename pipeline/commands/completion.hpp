// What may stand at the cursor of a shell?
#pragma once
#include <span>
#include <string>

#include "io/config/key_table.hpp"
#include "pipeline/commands/option_table.hpp"

namespace stemma {

/// A script that completes the words of a command line in bash, alone and without running the program.
/// `table` as option_table gives it; `keys` of a configuration are offered where overrides are taken.
std::string bash_completion(std::span<const VerbRows> table, std::span<const Key> keys);

}  // namespace stemma
