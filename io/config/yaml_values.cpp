// Every reader either returns a value or leaves a complaint with the values in it.
#include "io/config/yaml_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace stemma {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

/// False, with a problem, unless the node is an unquoted scalar. `wanted` says what to write.
bool plain(const YamlNode& node, const std::string& path, Complaints& complaints, std::string_view wanted) {
  if (node.kind == YamlNode::Kind::null) {
    complaints.add(node.at, path, fmt::format("{} has no value: write {}", path, wanted));
  } else if (node.kind != YamlNode::Kind::scalar) {
    complaints.add(node.at, path, fmt::format("{} is {}: write {}", path, name_of(node.kind), wanted));
  } else if (node.quoted) {
    complaints.add(
        node.at, path,
        fmt::format("{} = {} is text because of its quotes: write {} without quotes", path,
                    node.text.empty() ? shown("") : fmt::format("\"{}\"", shown(node.text)), wanted));
  } else {
    return true;
  }
  return false;
}

/// False, with a problem, when a number lies outside of its bounds.
template <class Number>
bool within(Number value, Number lowest, Number highest, const std::string& reason, const YamlNode& node,
            const std::string& path, Complaints& complaints, auto&& print) {
  if (lowest <= value && value <= highest) return true;
  const bool below = value < lowest;
  std::string message = fmt::format("{} = {} is {} {}", path, shown(node.text), below ? "below" : "above",
                                    print(below ? lowest : highest));
  if (!reason.empty()) message += fmt::format(" ({})", reason);
  complaints.add(node.at, path, std::move(message));
  return false;
}

/// -?(0|[1-9][0-9]*)
bool is_integer(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return all_digits(text) && (text.size() == 1 || text[0] != '0');
}

/// RFC 8259, section 6.
bool is_json_number(std::string_view text) {
  const std::size_t exponent = text.find_first_of("eE");
  std::string_view mantissa = text.substr(0, exponent);
  const std::size_t point = mantissa.find('.');
  if (!is_integer(mantissa.substr(0, point))) return false;
  if (point != std::string_view::npos && !all_digits(mantissa.substr(point + 1))) return false;
  if (exponent == std::string_view::npos) return true;
  std::string_view power = text.substr(exponent + 1);
  if (power.starts_with('-') || power.starts_with('+')) power.remove_prefix(1);
  return all_digits(power);
}

/// Would a reader of YAML 1.1 or 1.2 make something else of this unquoted text? Booleans, integers in any
/// base, sexagesimals, floats, dates.
bool changes_elsewhere(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  constexpr std::array words = {"y", "n", "yes", "no", "on", "off", "true", "false", ".inf", "-.inf", ".nan"};
  if (std::find(words.begin(), words.end(), lower) != words.end()) return true;
  std::string_view digits = lower;
  if (digits.starts_with('-') || digits.starts_with('+')) digits.remove_prefix(1);
  if (digits.empty() || !(is_digit(digits[0]) || digits[0] == '.')) return false;
  if (digits.starts_with("0x"))
    return digits.find_first_not_of("0123456789abcdef_", 2) == std::string_view::npos;
  if (digits.starts_with("0o") || digits.starts_with("0b")) {
    return digits.find_first_not_of("01234567_", 2) == std::string_view::npos;
  }
  const bool date = digits.size() >= 8 && digits[4] == '-' &&
                    digits.find_first_not_of("0123456789-") == std::string_view::npos;
  const bool one_point = std::count(digits.begin(), digits.end(), '.') <= 1;
  const std::size_t exponent = digits.find('e');
  const bool number =
      digits.find_first_of("0123456789") != std::string_view::npos && one_point &&
      digits.substr(0, exponent).find_first_not_of("0123456789_.:") == std::string_view::npos &&
      (exponent == std::string_view::npos ||
       digits.find_first_not_of("0123456789+-", exponent + 1) == std::string_view::npos);
  return date || number;
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array size_units = {Unit{"TiB", 1ULL << 40},
                                   Unit{"TB", 1'000'000'000'000ULL},
                                   Unit{"GiB", 1ULL << 30},
                                   Unit{"GB", 1'000'000'000ULL},
                                   Unit{"MiB", 1ULL << 20},
                                   Unit{"MB", 1'000'000ULL},
                                   Unit{"KiB", 1ULL << 10},
                                   Unit{"KB", 1'000ULL},
                                   Unit{"B", 1}};
constexpr std::array duration_units = {Unit{"d", 86400}, Unit{"h", 3600}, Unit{"min", 60}, Unit{"s", 1}};

/// Digits with at most one point, times the unit; exact, or nothing. "1.5GiB" is 1610612736.
std::optional<std::uint64_t> scaled(std::string_view number, std::uint64_t factor) {
  const std::size_t point = number.find('.');
  const std::string_view whole = number.substr(0, point);
  if (!is_integer(whole) || whole.starts_with('-')) return std::nullopt;
  std::uint64_t value = 0;
  if (std::from_chars(whole.data(), whole.data() + whole.size(), value).ec != std::errc{})
    return std::nullopt;
  std::uint64_t total = 0;
  if (__builtin_mul_overflow(value, factor, &total)) return std::nullopt;
  if (point == std::string_view::npos) return total;
  const std::string_view fraction = number.substr(point + 1);
  if (!all_digits(fraction) || fraction.size() > 6) return std::nullopt;
  std::uint64_t parts = 0;
  std::uint64_t of = 1;
  for (const char digit : fraction) {
    parts = parts * 10 + static_cast<std::uint64_t>(digit - '0');
    of *= 10;
  }
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(parts, factor, &product) || product % of != 0 ||
      __builtin_add_overflow(total, product / of, &total)) {
    return std::nullopt;
  }
  return total;
}

template <std::size_t N>
std::optional<std::uint64_t> with_unit(std::string_view text, const std::array<Unit, N>& units) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  std::string_view unit = text.substr(end);
  for (const Unit& candidate : units) {
    if (unit == candidate.name) return scaled(text.substr(0, end), candidate.factor);
  }
  return std::nullopt;
}

template <std::size_t N>
std::string printed_with_unit(std::uint64_t value, const std::array<Unit, N>& units) {
  std::string best = fmt::format("{}{}", value, units.back().name);
  for (const Unit& unit : units) {
    if (value == 0 || value % unit.factor != 0) continue;
    std::string text = fmt::format("{}{}", value / unit.factor, unit.name);
    if (text.size() < best.size()) best = std::move(text);
  }
  return best;
}

}  // namespace

std::optional<bool> read_bool(const YamlNode& node, const std::string& path, Complaints& complaints) {
  constexpr std::string_view wanted = "true or false";
  if (!plain(node, path, complaints, wanted)) return std::nullopt;
  if (node.text == "true") return true;
  if (node.text == "false") return false;
  complaints.add(node.at, path, fmt::format("{} = {}: write {}", path, shown(node.text), wanted));
  return std::nullopt;
}

std::optional<std::int64_t> read_integer(const YamlNode& node, const std::string& path,
                                         Complaints& complaints, const IntegerBounds& bounds) {
  if (!plain(node, path, complaints, "a whole number")) return std::nullopt;
  const std::string& text = node.text;
  std::int64_t value = 0;
  const bool integer = is_integer(text);
  if (!integer || std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) {
    complaints.add(
        node.at, path,
        fmt::format("{} = {} is not a whole number {}", path, shown(text),
                    integer ? "of 64 bits" : "in plain decimal digits (YAML readers disagree about others)"));
    return std::nullopt;
  }
  if (!within(value, bounds.lowest, bounds.highest, bounds.reason, node, path, complaints,
              [](std::int64_t bound) { return fmt::format("{}", bound); })) {
    return std::nullopt;
  }
  return value;
}

std::optional<double> read_real(const YamlNode& node, const std::string& path, Complaints& complaints,
                                const RealBounds& bounds) {
  if (!plain(node, path, complaints, "a number such as 0.01 or 1e-6")) return std::nullopt;
  double value = 0;
  const std::string& text = node.text;
  if (!is_json_number(text) ||
      std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) {
    complaints.add(node.at, path,
                   fmt::format("{} = {} is not a number such as 0.01 or 1e-6", path, shown(text)));
    return std::nullopt;
  }
  if (!within(value, bounds.lowest, bounds.highest, bounds.reason, node, path, complaints,
              [](double bound) { return fmt::format("{}", bound); })) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::string> read_text(const YamlNode& node, const std::string& path, Complaints& complaints) {
  if (node.kind != YamlNode::Kind::scalar) {
    const std::string_view what = node.kind == YamlNode::Kind::null ? "has no value" : "is not a text";
    complaints.add(
        node.at, path,
        node.kind == YamlNode::Kind::null
            ? fmt::format("{} {}. Write one, \"\" for an empty text, or remove the key", path, what)
            : fmt::format("{} is {}; it must be a text", path, name_of(node.kind)));
    return std::nullopt;
  }
  if (!node.quoted && changes_elsewhere(node.text)) {
    complaints.note(node.at,
                    fmt::format("{} = {} is taken as this text. Quote it: other YAML readers change it", path,
                                shown(node.text)));
  }
  return node.text;
}

std::optional<std::vector<std::string>> read_texts(const YamlNode& node, const std::string& path,
                                                   Complaints& complaints) {
  std::vector<std::string> texts;
  if (node.kind != YamlNode::Kind::list) {
    auto text = read_text(node, path, complaints);
    if (!text) return std::nullopt;
    texts.push_back(std::move(*text));
    return texts;
  }
  bool complete = true;
  for (std::size_t i = 0; i < node.values.size(); ++i) {
    if (auto text = read_text(node.values[i], fmt::format("{}[{}]", path, i), complaints)) {
      texts.push_back(std::move(*text));
    } else {
      complete = false;
    }
  }
  if (!complete) return std::nullopt;
  return texts;
}

std::optional<std::string> read_choice(const YamlNode& node, const std::string& path, Complaints& complaints,
                                       const std::vector<std::string>& choices) {
  const std::string wanted = fmt::format("{}", fmt::join(choices, ", "));
  if (node.kind != YamlNode::Kind::scalar) {
    complaints.add(node.at, path,
                   fmt::format("{} {}: write one of {}", path,
                               node.kind == YamlNode::Kind::null ? std::string("has no value")
                                                                 : fmt::format("is {}", name_of(node.kind)),
                               wanted));
    return std::nullopt;
  }
  if (std::find(choices.begin(), choices.end(), node.text) != choices.end()) return node.text;
  complaints.add(node.at, path, fmt::format("{} = {}: write one of {}", path, shown(node.text), wanted));
  return std::nullopt;
}

std::optional<std::uint64_t> read_size(const YamlNode& node, const std::string& path, Complaints& complaints,
                                       std::uint64_t lowest, std::uint64_t highest) {
  constexpr std::string_view wanted = "bytes, or a number with a unit such as 512MiB or 10GB";
  if (!plain(node, path, complaints, wanted)) return std::nullopt;
  const auto value = size_from(node.text);
  if (!value) {
    complaints.add(node.at, path,
                   fmt::format("{} = {} is not a size: write {}", path, shown(node.text), wanted));
    return std::nullopt;
  }
  if (!within(*value, lowest, highest, "", node, path, complaints, printed_size)) return std::nullopt;
  return value;
}

std::optional<std::int64_t> read_duration(const YamlNode& node, const std::string& path,
                                          Complaints& complaints, std::int64_t lowest, std::int64_t highest) {
  constexpr std::string_view wanted = "a number with a unit: 90s, 10min, 4h or 2d";
  if (!plain(node, path, complaints, wanted)) return std::nullopt;
  const auto value = duration_from(node.text);
  if (!value) {
    complaints.add(node.at, path,
                   fmt::format("{} = {} is not a duration: write {}", path, shown(node.text), wanted));
    return std::nullopt;
  }
  if (!within(*value, lowest, highest, "", node, path, complaints, printed_duration)) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> size_from(std::string_view text) {
  if (all_digits(text)) return scaled(text, 1);
  return with_unit(text, size_units);
}

std::optional<std::int64_t> duration_from(std::string_view text) {
  const auto value = with_unit(text, duration_units);
  if (!value || *value > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  return static_cast<std::int64_t>(*value);
}

std::string printed_size(std::uint64_t bytes) { return printed_with_unit(bytes, size_units); }
std::string printed_duration(std::int64_t seconds) {
  return printed_with_unit(static_cast<std::uint64_t>(std::max<std::int64_t>(0, seconds)), duration_units);
}

}  // namespace stemma
