// Does a key of an adapter's rank_pattern or alpha_pattern mean this module?
#pragma once
#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace stemma {

/// A regular expression K written by a stranger, matched as PEFT does: module =~ (.*\.)?(K)$ from the
/// beginning. Knows literals, ".", "\." (any escaped sign), "\d", "\w", "[...]", "*", "+", "?", "|", groups,
/// "^" and "$". All places are followed at once: time is linear in the length of both, whatever K says.
class ModulePattern {
 public:
  /// Nothing for an expression with other syntax, one that is no expression, or one of more than 512 bytes.
  static std::optional<ModulePattern> parse(std::string_view text);

  bool matches(std::string_view module) const;

 private:
  friend class PatternParser;
  enum class Kind : std::uint8_t { take, fork, at_begin, at_end, done };
  struct Step {
    Kind kind = Kind::take;
    std::bitset<256> bytes{};           ///< of take
    std::uint32_t next = 0, other = 0;  ///< other: of fork
  };
  std::vector<Step> steps_;  ///< the last one is done
  std::uint32_t first_ = 0;
};

}  // namespace stemma
