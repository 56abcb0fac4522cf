// Is there something at this path, and if not, why not?
#pragma once
#include <string>

namespace stemma {

/// "" when something is there, after all symbolic links. Otherwise the end of a sentence that begins with the
/// path: "does not exist", "is a symbolic link to nothing", "cannot be looked at (Permission denied)".
std::string why_absent(const std::string& path);

}  // namespace stemma
