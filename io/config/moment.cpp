// Dates that no calendar has are refused: timegm would make others of them.
#include "io/config/moment.hpp"

#include <charconv>
#include <ctime>
#include <string>

#include "io/config/yaml_values.hpp"

namespace stemma {
namespace {

std::optional<double> date_from(std::string_view text) {
  constexpr std::string_view form = "dddd-dd-ddTdd:dd:ddZ";
  if (text.size() != form.size()) return std::nullopt;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (form[i] == 'd' ? !digit : text[i] != form[i]) return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t digits) {
    int value = 0;
    for (const char c : text.substr(at, digits)) value = 10 * value + (c - '0');
    return value;
  };
  std::tm parts{};
  parts.tm_year = number(0, 4) - 1900, parts.tm_mon = number(5, 2) - 1, parts.tm_mday = number(8, 2);
  parts.tm_hour = number(11, 2), parts.tm_min = number(14, 2), parts.tm_sec = number(17, 2);
  const std::tm asked = parts;
  const std::time_t seconds = timegm(&parts);
  const bool same = parts.tm_mon == asked.tm_mon && parts.tm_mday == asked.tm_mday &&
                    parts.tm_hour == asked.tm_hour && parts.tm_min == asked.tm_min &&
                    parts.tm_sec == asked.tm_sec;
  if (!same) return std::nullopt;
  return static_cast<double>(seconds);
}

std::optional<double> unix_seconds_from(std::string_view digits) {
  constexpr std::size_t most = 12;  // 30,000 years
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.size() > most || value < 0)
    return std::nullopt;
  return static_cast<double>(value);
}

std::optional<Moment> with(Moment::Kind kind, std::optional<double> seconds) {
  if (!seconds) return std::nullopt;
  return Moment{kind, *seconds};
}

}  // namespace

std::optional<Moment> moment_from(std::string_view text) {
  if (text == "auto") return Moment{};
  if (text == "none") return Moment{Moment::Kind::none, 0};
  if (text.starts_with('@')) return with(Moment::Kind::at, unix_seconds_from(text.substr(1)));
  if (text.starts_with('+')) {
    const auto duration = duration_from(text.substr(1));
    return with(Moment::Kind::after, duration ? std::optional(static_cast<double>(*duration)) : std::nullopt);
  }
  return with(Moment::Kind::at, date_from(text));
}

}  // namespace stemma
