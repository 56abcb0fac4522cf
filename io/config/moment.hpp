// How do people write when something has to end?
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace stemma {

/// A moment as a configuration or an option names it.
struct Moment {
  enum class Kind : std::uint8_t { automatic, none, at, after };
  Kind kind = Kind::automatic;
  double seconds = 0;  ///< Unix seconds of `at`, seconds from the start of `after`
};

inline constexpr std::string_view moment_pattern =
    "^(auto|none|@[0-9]{1,12}|[+][0-9]{1,9}(s|min|h|d)|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
    "Z)$";
inline constexpr std::string_view moment_forms = "auto, none, +4h, @1795228378 or 2026-11-21T18:00:00Z";

/// "auto", "none", "+90s", "+4h", "@1795228378" (Unix seconds), "2026-11-21T18:00:00Z"; nothing for other
/// texts.
std::optional<Moment> moment_from(std::string_view text);

}  // namespace stemma
