// What is not there, and what may not be looked at, are different things to whoever must mend it.
#include "io/config/presence.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <vector>

#include "io/config/complaints.hpp"
#include "io/config/yaml_section.hpp"

namespace stemma {

namespace fs = std::filesystem;

std::string why_absent(const std::string& path) {
  std::error_code error;
  const fs::file_type type = fs::status(path, error).type();
  if (type == fs::file_type::not_found) {
    const bool is_link = fs::symlink_status(path, error).type() == fs::file_type::symlink;
    return is_link ? "is a symbolic link to nothing" : "does not exist";
  }
  if (type != fs::file_type::none && !error) return "";
  return fmt::format("cannot be looked at ({})", error.message());
}

std::string advice_on_absent(const std::string& path) {
  constexpr std::size_t most_names = 10'000;
  std::error_code error;
  fs::path missing = fs::path(path).lexically_normal();
  if (!missing.has_filename()) missing = missing.parent_path();
  const fs::path whole = missing;
  for (; missing.has_relative_path(); missing = missing.parent_path()) {
    const fs::path parent = missing.has_parent_path() ? missing.parent_path() : fs::path(".");
    if (!fs::exists(parent, error)) continue;
    std::vector<std::string> names;
    for (fs::directory_iterator entry(parent, error), end;
         !error && entry != end && names.size() < most_names; entry.increment(error))
      names.push_back(entry->path().filename().string());
    const std::string place = missing == whole ? "" : fmt::format(": {} is missing", shown(missing.string()));
    const auto close = nearest(missing.filename().string(), names);
    return close
               ? fmt::format("{}. Did you mean {}?", place, shown((missing.parent_path() / *close).string()))
               : place;
  }
  return "";
}

}  // namespace stemma
