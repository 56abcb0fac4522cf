// Which Stemma is this?
#pragma once

namespace stemma {

extern const char* const version_text;  ///< "0.1.0"
extern const char* const commit_text;   ///< short hash, with "+" when the tree had changes; "" outside of git
extern const char* const date_text;     ///< of the commit, "2026-11-30"; "" outside of git
extern const char* const build_text;    ///< "Release, g++ 12.2.0"

extern const char* const build_type_text;  ///< "Release"
extern const char* const compiler_text;    ///< "GNU 12.2.0"
extern const char* const flags_text;       ///< of the compiler, as the whole project was built
// Versions of libraries as they were found when the program was built; "" for what it was built without.
extern const char* const elpa_text;
extern const char* const scalapack_text;
extern const char* const yaml_cpp_text;

extern const char* const citation_text;  ///< CITATION.cff

}  // namespace stemma
