// Points of a sweep and shards of a run are both counted from 0.
#include "pipeline/commands/chosen_part.hpp"

#include <fmt/format.h>

#include <charconv>

#include "io/model/finding.hpp"
#include "pipeline/commands/command.hpp"
#include "pipeline/wording.hpp"

namespace stemma {

CLI::Validator point_or_all() {
  const auto check = [](const std::string& word) -> std::string {
    if (word == "all" ||
        (!word.empty() && word.size() < 10 && word.find_first_not_of("0123456789") == std::string::npos))
      return "";
    return fmt::format("{} is neither a point (0, 1, ...) nor all", printable(word));
  };
  return CLI::Validator(check, "");
}

Shard shard_from(const std::string& text) {
  if (text.empty()) return {};
  constexpr std::uint32_t most = 100'000;
  Shard shard;
  const char* const end = text.data() + text.size();
  const auto [slash, bad_index] = std::from_chars(text.data(), end, shard.index);
  if (bad_index == std::errc() && slash != end && *slash == '/') {
    const auto [behind, bad_count] = std::from_chars(slash + 1, end, shard.count);
    if (bad_count == std::errc() && behind == end && shard.index < shard.count && shard.count <= most)
      return shard;
  }
  throw UsageError(
      fmt::format("--shard {} is no part of the work: write I/N with I from 0 to N-1, N at most {}",
                  printable(text), with_commas(most)));
}

}  // namespace stemma
