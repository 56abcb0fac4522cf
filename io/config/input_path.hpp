// Which file does a path of a configuration mean?
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace stemma {

/// Value of an environment variable, nullopt when unset.
using Environment = std::function<std::optional<std::string>(const std::string&)>;
Environment process_environment();

struct ExpandedPath {
  std::string path;
  std::string problem;  ///< not empty: nothing could be made of the text
};

/// Expands a leading ~ and every ${NAME}. An unset variable is a problem.
ExpandedPath expand_path(std::string_view text, const Environment& environment);

/// The same, made absolute: relative paths begin at `directory` (inputs: that of the file that names them).
/// Steps upwards at its beginning are taken on the real directory; the rest is kept as written, symbolic
/// links included. With `is_glob` special characters of the directory's own name are protected.
ExpandedPath input_path(std::string_view text, const std::string& directory, const Environment& environment,
                        bool is_glob = false);

/// Directory part of a file's name, "." when there is none.
std::string directory_of(const std::string& file);

}  // namespace stemma
