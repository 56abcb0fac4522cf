// A directory belongs to one configuration of results; another one is refused with the first difference.
#include "pipeline/run_directory.hpp"

#include <fmt/format.h>

#include <map>
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

using Values = std::map<std::string, std::string>;  ///< by dotted key

void add_values(const YamlNode& node, const std::string& path, Values& values) {
  if (node.kind == YamlNode::Kind::scalar || node.values.empty())
    values[path] = node.text.empty() ? "empty" : node.text;
  for (std::size_t i = 0; i < node.values.size(); ++i) {
    const bool keyed = node.kind == YamlNode::Kind::mapping;
    const std::string step = keyed ? (path.empty() ? "" : ".") + node.keys[i].text : fmt::format("[{}]", i);
    add_values(node.values[i], path + step, values);
  }
}

Values values_of(const std::string& yaml) {
  Complaints complaints("config");
  Values values;
  if (const auto root = parse_yaml(yaml, complaints)) add_values(*root, "", values);
  return values;
}

/// "seed 1 -> 2, report.labels id -> label": the first of them, for the message.
std::string differences(const std::string& old_yaml, const std::string& new_yaml) {
  constexpr std::size_t most = 3;
  const Values before = values_of(old_yaml), now = values_of(new_yaml);
  Values all = before;
  all.insert(now.begin(), now.end());
  const auto value_in = [](const Values& values, const std::string& key) {
    const auto at = values.find(key);
    return at == values.end() ? "(nothing)" : printable(at->second, 120);
  };
  std::vector<std::string> found;
  for (const auto& [key, value] : all)
    if (const std::string old = value_in(before, key), fresh = value_in(now, key); old != fresh)
      found.push_back(fmt::format("{} {} -> {}", key, old, fresh));
  const std::size_t more = found.size() - std::min(found.size(), most);
  found.resize(found.size() - more);
  return fmt::format("{}{}", fmt::join(found, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
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
  throw OtherConfiguration(
      fmt::format("{} was made with another configuration: {}. {}", name, differences(before, now), advice));
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
