// Which digits and which unit does a person read without counting?
#include "pipeline/wording.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace stemma {
namespace {

std::string scaled(double value, double step, std::initializer_list<const char*> units) {
  const char* const* unit = units.begin();
  while (value >= step && unit + 1 != units.end()) {
    value /= step;
    ++unit;
  }
  return unit == units.begin() || value >= 100 ? fmt::format("{:.0f} {}", value, *unit)
                                               : fmt::format("{:.1f} {}", value, *unit);
}

}  // namespace

std::string with_commas(std::uint64_t n) {
  std::string digits = fmt::format("{}", n);
  for (int i = static_cast<int>(digits.size()) - 3; i > 0; i -= 3)
    digits.insert(static_cast<std::size_t>(i), ",");
  return digits;
}

std::string counted(std::uint64_t n, std::string_view one, std::string_view many) {
  if (n == 1) return fmt::format("1 {}", one);
  return many.empty() ? fmt::format("{} {}s", with_commas(n), one)
                      : fmt::format("{} {}", with_commas(n), many);
}

std::string bytes_words(double bytes) { return scaled(bytes, 1000, {"B", "kB", "MB", "GB", "TB", "PB"}); }

std::string memory_words(double bytes) { return scaled(bytes, 1024, {"B", "KiB", "MiB", "GiB", "TiB"}); }

std::string duration_words(double seconds) {
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{:02}:{:02}", whole / 60, whole % 60);
  return clock_words(seconds);
}

std::string clock_words(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  return fmt::format("{:02}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string three_digits(double value) { return std::isfinite(value) ? fmt::format("{:.3g}", value) : "-"; }

}  // namespace stemma
