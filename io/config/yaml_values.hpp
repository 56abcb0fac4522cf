// Is this YAML value a bool, a number, a size, a text? In our own words, not those of a YAML library.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/config/yaml.hpp"

namespace stemma {

// Each returns nullopt after noting a problem at the value's place. `path` is the dotted key for the message.

/// true or false, unquoted.
std::optional<bool> read_bool(const YamlNode& node, const std::string& path, Complaints& complaints);

/// Inclusive bounds; `reason` says why a value outside makes no sense ("a curve needs two layers"), may be
/// empty.
struct IntegerBounds {
  std::int64_t lowest = INT64_MIN;
  std::int64_t highest = INT64_MAX;
  std::string reason = {};
};
/// Decimal digits without leading zeros, optional minus.
std::optional<std::int64_t> read_integer(const YamlNode& node, const std::string& path,
                                         Complaints& complaints, const IntegerBounds& bounds = {});

struct RealBounds {
  double lowest = -1e308;
  double highest = 1e308;
  std::string reason = {};
};
/// The grammar of JSON numbers.
std::optional<double> read_real(const YamlNode& node, const std::string& path, Complaints& complaints,
                                const RealBounds& bounds = {});

/// Any scalar, literally. Notes unquoted text that other YAML readers turn into numbers or booleans.
std::optional<std::string> read_text(const YamlNode& node, const std::string& path, Complaints& complaints);

/// A text or a list of texts.
std::optional<std::vector<std::string>> read_texts(const YamlNode& node, const std::string& path,
                                                   Complaints& complaints);

/// One of the given words.
std::optional<std::string> read_choice(const YamlNode& node, const std::string& path, Complaints& complaints,
                                       const std::vector<std::string>& choices);

/// Bytes, or a number with B, KB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB.
std::optional<std::uint64_t> read_size(const YamlNode& node, const std::string& path, Complaints& complaints,
                                       std::uint64_t lowest = 0, std::uint64_t highest = UINT64_MAX);

/// Seconds from 90s, 10min, 4h, 2d. Bounds in seconds.
std::optional<std::int64_t> read_duration(const YamlNode& node, const std::string& path,
                                          Complaints& complaints, std::int64_t lowest = 0,
                                          std::int64_t highest = INT64_MAX);

// The grammar alone, without places.
std::optional<std::uint64_t> size_from(std::string_view text);
std::optional<std::int64_t> duration_from(std::string_view text);
std::string printed_size(std::uint64_t bytes);       ///< the shortest exact form: "3GiB", "10MB", "1025"
std::string printed_duration(std::int64_t seconds);  ///< "90s", "10min"

}  // namespace stemma
