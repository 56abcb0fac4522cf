// Is there something at this path, and if not, why not?
#pragma once
#include <string>

namespace stemma {

/// "" when something is there, after all symbolic links. Otherwise the end of a sentence that begins with the
/// path: "does not exist", "is a symbolic link to nothing", "cannot be looked at (Permission denied)".
std::string why_absent(const std::string& path);

/// For whoever named a path that does not exist: where it ends to exist, unless at its last step, and the
/// nearest name that lies there. ": /data/modls is missing. Did you mean /data/models?" Both parts may be
/// missing.
std::string advice_on_absent(const std::string& path);

}  // namespace stemma
