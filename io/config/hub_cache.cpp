// Names become folders, revisions become commits; the file system is asked as little as possible, because
// caches of clusters hold millions of links.
#include "io/config/hub_cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <vector>

#include "io/config/complaints.hpp"
#include "io/config/merged_location.hpp"
#include "io/config/presence.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_part = 96, commit_digits = 40, most_named = 5, longest_ref = 256;

bool is_name_character(char c) {
  return (c > 0 && std::isalnum(static_cast<unsigned char>(c)) != 0) || c == '_' || c == '.' || c == '-';
}

bool is_repository_part(std::string_view part) {
  const auto at_the_edge = [](char c) { return c == '.' || c == '-'; };
  return !part.empty() && part.size() <= longest_part && std::ranges::all_of(part, is_name_character) &&
         !at_the_edge(part.front()) && !at_the_edge(part.back()) &&
         part.find("--") == std::string_view::npos && part.find("..") == std::string_view::npos;
}

/// Each part between slashes like the parts of a name, and none that leads upwards.
bool is_revision(std::string_view text) {
  while (true) {
    const std::size_t slash = text.find('/');
    const std::string_view part = text.substr(0, slash);
    if (part.empty() || part.size() > longest_part || part == "." || part == ".." ||
        !std::ranges::all_of(part, is_name_character))
      return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

bool is_commit(std::string_view text) {
  return text.size() == commit_digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string folder_of(std::string_view repository) {
  std::string folder(repository);
  if (const std::size_t slash = folder.find('/'); slash != std::string::npos) folder.replace(slash, 1, "--");
  return folder;
}

ExpandedPath cache_root(const Environment& environment) {
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"})
    if (const auto set = environment(name); set && !set->empty()) return expand_path(*set, environment);
  if (const auto home = environment("HF_HOME"); home && !home->empty())
    return expand_path(*home + "/hub", environment);
  if (const auto cache = environment("XDG_CACHE_HOME"); cache && !cache->empty())
    return expand_path(*cache + "/huggingface/hub", environment);
  return expand_path("~/.cache/huggingface/hub", environment);
}

/// The commit that refs/REVISION holds, "" where there is no such file or it holds something else.
std::string commit_of(const fs::path& repository, const std::string& revision) {
  std::ifstream file(repository / "refs" / revision, std::ios::binary);
  std::string text(longest_ref, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return "";
  text = text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
  return is_commit(text) ? text : "";
}

/// Some of the names in a directory, for a sentence.
std::string some_names(const fs::path& directory) {
  std::set<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    names.insert(entry->path().filename().string());
    if (names.size() > 1'000) break;
  }
  std::vector<std::string> few;
  for (const std::string& name : names)
    if (few.size() < most_named) few.push_back(shown(name));
  if (few.empty()) return "none";
  return fmt::format("{}{}", fmt::join(few, ", "), names.size() > most_named ? ", ..." : "");
}

ExpandedPath missing(std::string problem) { return {"", std::move(problem)}; }

}  // namespace

std::optional<HubReference> hub_reference(std::string_view text, bool bare) {
  const bool named = text.starts_with("hf:");
  if (named) text.remove_prefix(3);
  if (!named && !bare) return std::nullopt;
  HubReference reference;
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    reference.revision = text.substr(at + 1);
    text = text.substr(0, at);
  }
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos && !named) return std::nullopt;
  const bool parts = slash == std::string_view::npos ? is_repository_part(text)
                                                     : is_repository_part(text.substr(0, slash)) &&
                                                           is_repository_part(text.substr(slash + 1));
  if (!parts || !is_revision(reference.revision)) return std::nullopt;
  reference.repository = text;
  return reference;
}

ExpandedPath hub_snapshot(const HubReference& reference, const Environment& environment) {
  ExpandedPath root = cache_root(environment);
  if (!root.problem.empty()) return root;
  const fs::path repository = fs::path(root.path) / ("models--" + folder_of(reference.repository));
  std::error_code error;
  if (!fs::is_directory(repository, error))
    return missing(
        fmt::format("hf:{} is not in the cache {}. Fetch it where there is network: hf download {}",
                    reference.repository, shown(root.path), reference.repository));
  std::string commit = commit_of(repository, reference.revision);
  if (commit.empty() && is_commit(reference.revision)) commit = reference.revision;
  const fs::path snapshot = repository / "snapshots" / commit;
  if (!commit.empty() && fs::is_directory(snapshot, error)) return {snapshot.string(), ""};
  return missing(
      fmt::format("hf:{} has no revision {} in the cache {} (refs: {}; snapshots: {}). Name one of "
                  "them, or fetch it where there is network: hf download {} --revision {}",
                  reference.repository, reference.revision, shown(root.path), some_names(repository / "refs"),
                  some_names(repository / "snapshots"), reference.repository, reference.revision));
}

ExpandedPath model_location(std::string_view text, const std::string& directory,
                            const Environment& environment) {
  for (std::size_t at = text.find(merge_sign); at != std::string_view::npos;
       at = text.find(merge_sign, at + 1)) {
    const ExpandedPath whole = input_path(text, directory, environment),
                       base = model_location(text.substr(0, at), directory, environment),
                       adapter = input_path(text.substr(at + 1), directory, environment);
    const bool merged = !why_absent(whole.path).empty() && base.problem.empty() && adapter.problem.empty() &&
                        at > 0 && why_absent(base.path).empty() && why_absent(adapter.path).empty();
    if (merged) return {base.path + std::string(1, merge_sign) + adapter.path, ""};
  }
  if (const auto reference = hub_reference(text)) return hub_snapshot(*reference, environment);
  if (text.starts_with("hf:"))
    return missing(
        fmt::format("{} is no name of the hub. It is hf:org/name or hf:org/name@revision", shown(text)));
  ExpandedPath path = input_path(text, directory, environment);
  if (!path.problem.empty() || why_absent(path.path).empty()) return path;
  if (const auto reference = hub_reference(text, true))
    if (ExpandedPath snapshot = hub_snapshot(*reference, environment); snapshot.problem.empty())
      return snapshot;
  return path;
}

std::string hub_folder_name(const std::string& path) {
  constexpr std::string_view prefix = "models--";
  const fs::path snapshot = path.ends_with('/') ? fs::path(path).parent_path() : fs::path(path);
  const std::string folder = snapshot.parent_path().parent_path().filename().string();
  const bool inside = snapshot.parent_path().filename() == "snapshots" && folder.starts_with(prefix) &&
                      is_commit(snapshot.filename().string());
  return inside ? folder.substr(prefix.size()) : "";
}

}  // namespace stemma
