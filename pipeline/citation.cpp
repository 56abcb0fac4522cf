// CITATION.cff is what others read; BibTeX is made from it, so that both name the same things.
#include "pipeline/citation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>
#include <vector>

#include "io/config/yaml.hpp"

namespace stemma {
namespace {

/// "" where the key is absent.
std::string text_of(const YamlNode& node, std::string_view key) {
  const YamlNode* value = node.find(key);
  return value ? value->text : "";
}

/// "Müller, Hans and Wang, Min"; a group is held together by braces.
std::string names_of(const YamlNode& work) {
  std::vector<std::string> names;
  if (const YamlNode* authors = work.find("authors"))
    for (const YamlNode& author : authors->values) {
      const std::string group = text_of(author, "name");
      names.push_back(group.empty() ? fmt::format("{}, {}", text_of(author, "family-names"),
                                                  text_of(author, "given-names"))
                                    : "{" + group + "}");
    }
  return fmt::format("{}", fmt::join(names, " and "));
}

/// The number behind "arXiv:".
std::string arxiv_number(const YamlNode& work) {
  if (const YamlNode* identifiers = work.find("identifiers"))
    for (const YamlNode& identifier : identifiers->values)
      if (const std::string value = text_of(identifier, "value"); value.starts_with("arXiv:"))
        return value.substr(6);
  return "";
}

/// "yoon2025": the first family name, or the first word of the title.
std::string key_of(const YamlNode& work) {
  const YamlNode* authors = work.find("authors");
  std::string name =
      authors && !authors->values.empty() ? text_of(authors->values.front(), "family-names") : "";
  if (name.empty()) name = text_of(work, "title");
  name = name.substr(0, name.find_first_of(" :"));
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name + text_of(work, "year");
}

std::string entry(const YamlNode& work, const std::string& kind) {
  const std::string number = arxiv_number(work);
  const std::string date = text_of(work, "date-released");
  std::string text = fmt::format("@{}{{{},\n", kind, key_of(work));
  const auto field = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) text += fmt::format("  {:<13} = {{{}}},\n", name, value);
  };
  field("author", names_of(work));
  field("title", "{" + text_of(work, "title") + "}");
  field("year", date.empty() ? text_of(work, "year") : date.substr(0, 4));
  field("version", text_of(work, "version"));
  field("license", text_of(work, "license"));
  field("eprint", number);
  field("archiveprefix", number.empty() ? "" : "arXiv");
  field("url", text_of(work, "url"));
  field("note", text_of(work, "notes"));
  return text + "}\n";
}

}  // namespace

std::string bibtex_of(std::string_view citation) {
  Complaints complaints("CITATION.cff");
  const std::optional<YamlNode> work = parse_yaml(citation, complaints);
  if (!work || !complaints.problems().empty())
    throw std::runtime_error("CITATION.cff: " + (complaints.problems().empty()
                                                     ? "is empty"
                                                     : sentence(complaints.problems().front())));
  std::string text = entry(*work, "software");
  if (const YamlNode* references = work->find("references"))
    for (const YamlNode& reference : references->values) text += "\n" + entry(reference, "misc");
  return text;
}

}  // namespace stemma
