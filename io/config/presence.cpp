// What is not there, and what may not be looked at, are different things to whoever must mend it.
#include "io/config/presence.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

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

}  // namespace stemma
