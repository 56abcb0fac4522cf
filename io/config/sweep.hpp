// Which keys does a sweep vary, over which values, and which of them meet at a point?
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "io/config/key_table.hpp"
#include "io/config/yaml.hpp"

namespace stemma {

enum class SweepMode : std::uint8_t { grid, zip };

inline constexpr std::size_t most_points = 10'000;

/// One key that varies.
struct Axis {
  const Key* key = nullptr;
  Place at;                      ///< of the key in sweep.over
  std::vector<YamlNode> values;  ///< each with its own place; nobody has read them yet
};

/// The section `sweep`. Without axes there is one point, at which nothing is changed.
struct Sweep {
  std::vector<Axis> axes;  ///< in the order of the file
  SweepMode mode = SweepMode::grid;

  /// At most most_points after read_sweep without problems.
  std::size_t points() const;
  /// For every axis the value that it has at this point. In a grid the last axis is the fastest.
  std::vector<std::size_t> values_at(std::size_t point) const;
};

/// Reads the section; null and absent are no sweep. Problems: keys that are unknown, may not vary or have no
/// list, values that make two points equal, lists that do not fit together, too many points. What the values
/// mean is not looked at.
Sweep read_sweep(const YamlNode& root, Complaints& complaints);

/// A value as it was written, to be shown.
std::string written(const YamlNode& value);

}  // namespace stemma
