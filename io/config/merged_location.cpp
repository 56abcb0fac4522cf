// The file system decides where the sign stands.
#include "io/config/merged_location.hpp"

#include "io/config/presence.hpp"

namespace stemma {

std::optional<BaseAndAdapter> base_and_adapter(const std::string& location) {
  if (location.find(merge_sign) == std::string::npos || why_absent(location).empty()) return std::nullopt;
  for (std::size_t at = location.find(merge_sign); at != std::string::npos;
       at = location.find(merge_sign, at + 1)) {
    BaseAndAdapter both{location.substr(0, at), location.substr(at + 1)};
    const bool there = !both.base.empty() && !both.adapter.empty() && why_absent(both.base).empty() &&
                       why_absent(both.adapter).empty();
    if (there) return both;
  }
  return std::nullopt;
}

std::string why_absent_model(const std::string& location) {
  const std::string why = why_absent(location);
  return why.empty() || base_and_adapter(location) ? "" : why;
}

}  // namespace stemma
