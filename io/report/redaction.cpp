// Whatever begins like an absolute path is taken for one: a text that says less is better than one that
// tells.
#include "io/report/redaction.hpp"

#include <algorithm>

namespace stemma {
namespace {

constexpr std::string_view ellipsis = "\u2026";

bool ends_a_path(char c) {
  return static_cast<unsigned char>(c) <= ' ' ||
         std::string_view("\"'`()[]{}<>,;|").find(c) != std::string_view::npos;
}

/// Behind these a slash begins no path: it stands within a relative path, a number or a word.
bool continues_a_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || byte >= 0x80 ||
         std::string_view("_.-~*?%/<").find(c) != std::string_view::npos;
}

/// "https:" before the slashes of an address; files are no addresses.
bool is_scheme(std::string_view before) {
  if (!before.ends_with(':')) return false;
  before.remove_suffix(1);
  const auto first = std::find_if_not(before.rbegin(), before.rend(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || (c >= '0' && c <= '9');
  });
  const std::string_view scheme = before.substr(static_cast<std::size_t>(before.rend() - first));
  return !scheme.empty() && scheme != "file";
}

std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (!part.empty()) parts.push_back(part);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return parts;
}

/// The last two parts. A home directory bears the name of its owner, and is none of them.
std::string shortened_path(std::string_view path) {
  std::vector<std::string_view> parts = parts_of(path);
  if (parts.empty()) return std::string(path);
  const bool homes = parts[0] == "home" || parts[0] == "Users";
  const std::size_t hidden = std::min<std::size_t>(parts.size(), homes ? 2 : parts[0] == "root" ? 1 : 0);
  parts.erase(parts.begin(),
              parts.begin() + static_cast<std::ptrdiff_t>(
                                  std::max(hidden, parts.size() - std::min<std::size_t>(parts.size(), 2))));
  std::string text(ellipsis);
  for (const std::string_view part : parts) text.append("/").append(part);
  return text;
}

}  // namespace

Redaction::Redaction(const std::vector<std::string>& known) : active_(true) {
  for (std::string_view path : known)
    while (path.size() > 1 && path.front() == '/' && std::ranges::any_of(path, ends_a_path)) {
      awkward_.emplace(path);
      path = path.substr(0, path.rfind('/'));
    }
}

std::size_t Redaction::end_of_path(std::string_view text, std::size_t begin) const {
  std::size_t end = begin;
  const std::string_view rest = text.substr(begin);
  for (const std::string& path : awkward_)
    if (rest.starts_with(path)) end = std::max(end, begin + path.size());
  // BASE+ADAPTER is two paths.
  while (end < text.size() && !ends_a_path(text[end]) && !text.substr(end).starts_with("+/")) ++end;
  const auto closes = [&](char c) { return c == ':' || c == '.'; };
  while (end > begin + 1 && closes(text[end - 1])) --end;
  return end;
}

std::string Redaction::operator()(std::string_view text) const {
  if (!active_) return std::string(text);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const bool begins = text[at] == '/' && (at == 0 || !continues_a_word(text[at - 1]));
    if (!begins) {
      out += text[at++];
      continue;
    }
    const std::size_t end = end_of_path(text, at);
    const std::string_view path = text.substr(at, end - at);
    const bool address = path.starts_with("//") && is_scheme(text.substr(0, at));
    out += address ? std::string(path) : shortened_path(path);
    at = end;
  }
  return out;
}

}  // namespace stemma
