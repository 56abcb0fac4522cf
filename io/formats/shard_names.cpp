// Names like model-00002-of-00004.safetensors, taken apart and put together.
#include "io/formats/shard_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace stemma {
namespace {

constexpr std::string_view of_parts = "-of-";

std::optional<std::uint64_t> number(std::string_view digits) {
  std::uint64_t value = 0;
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<ShardName> shard_name(std::string_view file_name, const ShardSpelling& spelling) {
  const auto [prefix, suffix] = spelling;
  if (!file_name.starts_with(prefix) || !file_name.ends_with(suffix)) return std::nullopt;
  if (file_name.size() < prefix.size() + suffix.size()) return std::nullopt;
  const std::string_view numbers =
      file_name.substr(prefix.size(), file_name.size() - prefix.size() - suffix.size());
  const std::size_t at = numbers.find(of_parts);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view first = numbers.substr(0, at), second = numbers.substr(at + of_parts.size());
  const auto part = number(first), parts = number(second);
  if (!part || !parts || *part < 1 || *part > *parts || first.size() != second.size()) return std::nullopt;
  return ShardName{*part, *parts, first.size()};
}

std::string file_name_of(const ShardName& shard, const ShardSpelling& spelling) {
  return fmt::format("{}{:0{}}{}{:0{}}{}", spelling.prefix, shard.part, shard.width, of_parts, shard.parts,
                     shard.width, spelling.suffix);
}

std::vector<std::string> ShardSet::names() const {
  std::vector<std::string> all;
  for (std::uint64_t part = 1; part <= parts; ++part)
    all.push_back(file_name_of(ShardName{part, parts, width}, spelling));
  return all;
}

std::vector<ShardSet> shard_sets(const std::vector<std::string>& file_names, const ShardSpelling& spelling) {
  std::map<std::pair<std::uint64_t, std::size_t>, ShardSet> sets;
  for (const std::string& name : file_names) {
    const std::optional<ShardName> shard = shard_name(name, spelling);
    if (!shard) continue;
    ShardSet& set = sets[{shard->parts, shard->width}];
    set.parts = shard->parts;
    set.width = shard->width;
    set.spelling = spelling;
    set.present.emplace(shard->part, name);
  }
  std::vector<ShardSet> ordered;
  for (auto& [key, set] : sets) ordered.push_back(std::move(set));
  return ordered;
}

}  // namespace stemma
