// ISO 8601 in UTC, to the second.
#include "io/archive/timestamp.hpp"

#include <ctime>

namespace stemma {

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  const std::size_t n = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text, n};
}

}  // namespace stemma
