// Which Stemma is this?
#pragma once

namespace stemma {

extern const char* const version_text;  ///< "0.1.0"
extern const char* const commit_text;   ///< short hash, with "+" when the tree had changes; "" outside of git
extern const char* const build_text;    ///< "Release, g++ 12.2.0"

}  // namespace stemma
