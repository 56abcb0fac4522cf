// Homes, variables and the file that names the path are looked at, the disk is not.
#include "io/config/input_path.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "io/config/complaints.hpp"
#include "io/config/yaml_syntax.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;

/// Why `path` cannot be written in a configuration; "" when it can.
std::string why_no_text(std::string_view what, const std::string& path) {
  const std::size_t bad = first_bad_byte(path);
  if (bad == std::string::npos) return "";
  const auto byte = static_cast<unsigned char>(path[bad]);
  return byte < 0x80
             ? fmt::format("the {} {} holds the control character \\x{:02x}. Rename it, or name it by a link",
                           what, shown(path), byte)
             : fmt::format("the {} {} holds bytes that are not text (UTF-8)", what, shown(path));
}

std::string protected_for_glob(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (c == '*' || c == '?' || c == '[') {
      out += fmt::format("[{}]", c);
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
}

ExpandedPath expand_path(std::string_view text, const Environment& environment) {
  if (text.empty()) return {"", "a path is empty"};
  std::string path;
  if (text.starts_with('~')) {
    if (text.size() > 1 && text[1] != '/') {
      return {"", fmt::format(
                      "{} begins with the home of another user, which is not looked up. Write it out, or ./~",
                      shown(text))};
    }
    const auto home = environment("HOME");
    if (!home || home->empty()) return {"", fmt::format("{} needs HOME, which is not set", shown(text))};
    path = *home;
    text.remove_prefix(1);
  }
  while (!text.empty()) {
    const std::size_t begin = text.find("${");
    path += text.substr(0, begin);
    if (begin == std::string_view::npos) break;
    const std::size_t end = text.find('}', begin);
    if (end == std::string_view::npos)
      return {"", fmt::format("{} opens ${{ and does not close it", shown(text))};
    const std::string name(text.substr(begin + 2, end - begin - 2));
    const auto value = environment(name);
    if (!value)
      return {"", fmt::format("${{{}}} is not set in the environment. Set it, or write the path out",
                              shown(name))};
    // Otherwise the resolved configuration would not read back to the same path.
    if (value->find("${") != std::string::npos) {
      return {"", fmt::format("the value of ${{{}}} holds another ${{", shown(name))};
    }
    path += *value;
    text.remove_prefix(end + 1);
  }
  if (path.empty()) return {"", "a path is empty after its variables were expanded"};
  if (std::string problem = why_no_text("path", path); !problem.empty()) return {"", std::move(problem)};
  return {path, ""};
}

ExpandedPath input_path(std::string_view text, const std::string& directory, const Environment& environment,
                        bool is_glob) {
  ExpandedPath expanded = expand_path(text, environment);
  if (!expanded.problem.empty() || expanded.path.starts_with('/')) return expanded;
  std::error_code error;
  fs::path base = fs::weakly_canonical(fs::absolute(directory), error);
  if (error) base = fs::absolute(directory).lexically_normal();
  std::string_view rest = expanded.path;
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    const std::string_view step = rest.substr(0, slash);
    if (step == "..") {
      base = base.parent_path();
    } else if (step != "." && !step.empty()) {
      break;
    }
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
  }
  std::string begin = is_glob ? protected_for_glob(base.string()) : base.string();
  if (!rest.empty() && !begin.ends_with('/')) begin += '/';
  if (std::string problem = why_no_text("directory", begin); !problem.empty())
    return {"", std::move(problem)};
  return {begin + std::string(rest), ""};
}

std::string directory_of(const std::string& file) {
  const std::string directory = fs::path(file).parent_path().string();
  return directory.empty() ? "." : directory;
}

}  // namespace stemma
