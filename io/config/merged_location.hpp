// Which two directories does BASE+ADAPTER name?
#pragma once
#include <optional>
#include <string>

namespace stemma {

/// Stands between a base and the adapter that is merged into it.
inline constexpr char merge_sign = '+';

struct BaseAndAdapter {
  std::string base;
  std::string adapter;
};

/// Of a location that does not exist as such, but is two that do. Names may hold the sign themselves: the
/// first place where both sides exist counts.
std::optional<BaseAndAdapter> base_and_adapter(const std::string& location);

/// why_absent for a location: "" also when base and adapter are both there.
std::string why_absent_model(const std::string& location);

}  // namespace stemma
