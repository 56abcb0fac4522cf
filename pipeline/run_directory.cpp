// A directory belongs to one resolved configuration; another one is refused with the first difference.
#include "pipeline/run_directory.hpp"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "io/archive/storage_error.hpp"
#include "io/report/tsv.hpp"

namespace stemma {
namespace {

constexpr const char* resolved_name = "config.resolved.yaml";

std::string read_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// "runtime: ..." -> the first line of each that differs, for the message.
std::string first_difference(const std::string& old_text, const std::string& new_text) {
  std::istringstream a(old_text), b(new_text);
  for (std::string x, y;;) {
    const bool has_x = static_cast<bool>(std::getline(a, x)), has_y = static_cast<bool>(std::getline(b, y));
    if (!has_x && !has_y) return "";
    if (!has_x) x = "(nothing)";
    if (!has_y) y = "(nothing)";
    if (x != y) return fmt::format("\"{}\" there, \"{}\" here", printable(x, 120), printable(y, 120));
  }
}

void set_aside(const std::filesystem::path& path) {
  for (int i = 1;; ++i) {
    const std::filesystem::path old = fmt::format("{}.old-{}", path.string(), i);
    if (std::filesystem::exists(old)) continue;
    std::filesystem::rename(path, old);
    return;
  }
}

}  // namespace

RunDirectory::RunDirectory(std::filesystem::path path, const std::string& resolved_yaml, ExistingRun existing)
    : path_(std::move(path)) {
  const std::filesystem::path resolved = path_ / resolved_name;
  if (std::filesystem::exists(resolved)) {
    const std::string before = read_text(resolved);
    if (existing == ExistingRun::set_aside) {
      set_aside(path_);
    } else if (before != resolved_yaml) {
      throw OtherConfiguration(
          fmt::format("{} was made with another configuration: {}. Use --output, or --fresh to set it aside",
                      path_.string(), first_difference(before, resolved_yaml)));
    }
  }
  std::error_code error;
  for (const auto& directory : {path_, path_ / "log", store()}) {
    std::filesystem::create_directories(directory, error);
    if (error) throw StorageError(directory, "", "create", error.value());
  }
  write(resolved_name, resolved_yaml);
}

void RunDirectory::write(const std::string& file, std::string_view text) const {
  write_whole(path_ / file, text);
}

}  // namespace stemma
