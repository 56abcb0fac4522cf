// Names say which parts there should be; what the files say about themselves must agree.
#include "io/formats/gguf_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "io/formats/descriptor.hpp"
#include "io/formats/limits.hpp"

namespace stemma {
namespace {

constexpr std::string_view suffix = ".gguf", of_splits = "-of-";

/// The number at the end of `text`, which is then cut off together with the hyphen before it.
std::optional<std::uint64_t> take_number(std::string_view& text, std::size_t& width) {
  const std::size_t begin = text.find_last_not_of("0123456789") + 1;
  width = text.size() - begin;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data() + begin, text.data() + text.size(), value);
  if (width == 0 || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  text = text.substr(0, begin);
  return value;
}

std::string part_of(const GgufPartName& name, std::uint64_t part) {
  return fmt::format("{}-{:0{}}{}{:0{}}{}", name.stem, part, name.width, of_splits, name.parts, name.width,
                     suffix);
}

bool is_model(std::string_view name) {
  constexpr std::array<std::string_view, 3> others{".", "mmproj-", "mtp-"};
  return name.ends_with(suffix) && name.find("imatrix") == std::string_view::npos &&
         std::ranges::none_of(others, [&](std::string_view other) { return name.starts_with(other); });
}

[[noreturn]] void refuse(std::string rule, const std::string& file, std::string found, std::string hint) {
  throw InvalidInput(
      {.rule = std::move(rule), .file = file, .found = std::move(found), .hint = std::move(hint)});
}

}  // namespace

std::optional<GgufPartName> gguf_part_name(std::string_view file_name) {
  if (!file_name.ends_with(suffix)) return std::nullopt;
  std::string_view rest = file_name.substr(0, file_name.size() - suffix.size());
  std::size_t width = 0, other_width = 0;
  const auto parts = take_number(rest, width);
  if (!parts || !rest.ends_with(of_splits)) return std::nullopt;
  rest.remove_suffix(of_splits.size());
  const auto part = take_number(rest, other_width);
  if (!part || !rest.ends_with('-') || *part < 1 || *part > *parts || width != other_width)
    return std::nullopt;
  rest.remove_suffix(1);
  return GgufPartName{std::string(rest), *part, *parts, width};
}

ModelFiles gguf_files_of(const std::string& directory, const std::string& file_name,
                         const std::vector<std::string>& listing) {
  ModelFiles files{.directory = directory, .names = {file_name}, .index = std::nullopt, .is_set = false};
  const auto name = gguf_part_name(file_name);
  if (!name || name->parts == 1) return files;
  if (name->parts > limits::shards)
    refuse("limit.shards", file_name, fmt::format("{} parts", name->parts), "");
  files.names.clear();
  files.is_set = true;
  std::vector<std::string> absent;
  for (std::uint64_t part = 1; part <= name->parts; ++part) {
    files.names.push_back(part_of(*name, part));
    if (!std::ranges::binary_search(listing, files.names.back())) absent.push_back(files.names.back());
  }
  if (!absent.empty())
    refuse("gguf.split", file_name, fmt::format("{} of {} parts", name->parts - absent.size(), name->parts),
           fmt::format("{} is absent. Fetch all parts", printable(absent.front())));
  return files;
}

std::optional<ModelFiles> choose_gguf_files(const std::string& directory,
                                            const std::vector<std::string>& listing) {
  std::vector<std::string> models;  // of every set its first part that is there
  std::set<std::string> sets;
  for (const std::string& file : listing) {
    if (!is_model(file)) continue;
    const auto name = gguf_part_name(file);
    if (!name || sets.insert(part_of(*name, 1)).second) models.push_back(file);
  }
  if (models.empty()) return std::nullopt;
  if (models.size() > 1) {
    constexpr std::size_t most = 5;
    std::string found;
    for (std::size_t i = 0; i < std::min(models.size(), most); ++i)
      found += fmt::format("{}{}", i == 0 ? "" : ", ", printable(models[i], 60));
    if (models.size() > most) found += fmt::format(" and {} more", models.size() - most);
    refuse("several_models", file_name_of(directory), found,
           "each quantisation is a model of its own: name one file");
  }
  return gguf_files_of(directory, models.front(), listing);
}

std::vector<Finding> contradictions_of_parts(const std::vector<std::string>& names,
                                             const std::vector<std::optional<PartOfSet>>& parts) {
  std::vector<Finding> findings;
  const auto contradiction = [&](std::size_t file, std::string found, std::string expected) {
    findings.push_back({.rule = "gguf.split",
                        .file = names[file],
                        .expected = std::move(expected),
                        .found = std::move(found),
                        .hint = "the parts do not belong together; fetch all of them again"});
  };
  if (std::ranges::none_of(parts, [](const auto& part) { return part.has_value(); })) return findings;
  std::uint64_t tensors = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string expected = fmt::format("part {} of {} (the name)", i + 1, names.size());
    if (!parts[i])
      contradiction(i, "no split.count", expected);
    else if (parts[i]->number != i || parts[i]->parts != names.size())
      contradiction(i, fmt::format("part {} of {}", parts[i]->number + 1, parts[i]->parts), expected);
    else
      tensors += parts[i]->holds;
  }
  if (findings.empty() && parts.front()->tensors != tensors)
    contradiction(0, fmt::format("{} tensors in all parts", tensors),
                  fmt::format("{} (split.tensors.count)", parts.front()->tensors));
  return findings;
}

}  // namespace stemma
