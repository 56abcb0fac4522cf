// A directory belongs to one configuration of results; another one is refused with the first difference.
#include "pipeline/run_directory.hpp"

#include <fmt/format.h>

#include <sstream>
#include <vector>

#include "io/archive/storage_error.hpp"
#include "io/archive/writer_name.hpp"
#include "io/config/presence.hpp"
#include "io/config/yaml.hpp"
#include "io/report/tsv.hpp"

namespace stemma {
namespace {

constexpr const char* resolved_name = "config.resolved.yaml";

/// What decided the results of the run that lies there. Its configuration is read as every other: a key that
/// was added since has its default. Throws ConfigProblems when this version cannot read it.
std::string results_before(const std::filesystem::path& resolved) {
  Complaints complaints(resolved.string());
  const auto text = read_text_file(resolved.string(), YamlLimits{}.bytes, complaints);
  complaints.raise_if_any();
  std::vector<std::string> notes;
  const Environment none = [](const std::string&) { return std::nullopt; };
  return results_yaml(parse_run_config(*text, resolved.string(), {}, notes, none));
}

/// The first line of each that differs, for the message.
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
    if (why_absent(old.string()).empty()) continue;
    std::error_code error;
    std::filesystem::rename(path, old, error);
    if (error) throw StorageError(path, "", "set aside", error.value());
    return;
  }
}

void require_same_results(const std::filesystem::path& path, const RunConfig& config) {
  const std::string name = printable(path.string()), advice = "Use --output, or --fresh to set it aside";
  std::string before;
  try {
    before = results_before(path / resolved_name);
  } catch (const ConfigProblems& error) {
    throw OtherConfiguration(
        fmt::format("{} was made with a configuration that this version cannot read ({}). {}", name,
                    printable(sentence(error.problems().front()), 400), advice));
  }
  const std::string now = results_yaml(config);
  if (before == now) return;
  throw OtherConfiguration(fmt::format("{} was made with another configuration: {}. {}", name,
                                       first_difference(before, now), advice));
}

}  // namespace

bool RunDirectory::is_one(const std::filesystem::path& directory) {
  return why_absent((directory / resolved_name).string()).empty();
}

RunDirectory::RunDirectory(std::filesystem::path path, const RunConfig& config, ExistingRun existing)
    : path_(std::move(path)),
      store_(config.runtime.store.empty() ? path_ / "store" : std::filesystem::path(config.runtime.store)) {
  if (is_one(path_)) {
    if (existing == ExistingRun::set_aside)
      set_aside(path_);
    else
      require_same_results(path_, config);
  }
  std::error_code error;
  for (const auto& directory : {path_, path_ / "log", store_, scratch()}) {
    std::filesystem::create_directories(directory, error);
    if (error) throw StorageError(directory, "", "create", error.value());
  }
  write(resolved_name, resolved_yaml(config));
}

void RunDirectory::write(const std::string& file, std::string_view text) const {
  write_whole(path_ / file, text);
}

void RunDirectory::remove_leftovers() const {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(scratch(), ignored))
    std::filesystem::remove_all(entry.path(), ignored);
  remove_leftovers(path_);
  remove_leftovers(store_);
}

void RunDirectory::remove_leftovers(const std::filesystem::path& directory) const {
  std::error_code ignored;
  const auto began = std::filesystem::last_write_time(path_ / resolved_name, ignored);
  if (ignored) return;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    std::error_code gone;
    const auto written = entry.last_write_time(gone);
    if (!gone && written < began && is_temporary(entry.path().filename().string()))
      std::filesystem::remove(entry.path(), gone);
  }
}

}  // namespace stemma
