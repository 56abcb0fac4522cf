// Which runs does one configuration ask for: a single one, or every point of its sweep?
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "io/config/run_config.hpp"
#include "io/config/sweep.hpp"

namespace stemma {

/// The runs of one configuration, numbered from 0. A value: every process that reads the same text has the
/// same series.
class RunSeries {
 public:
  /// Reads a text as parse_run_config does, and all points of its sweep. Throws ConfigProblems with
  /// everything that is wrong at any point; each value of a sweep is checked as an override would be.
  RunSeries(std::string_view text, std::string file, const std::vector<Override>& overrides,
            std::vector<std::string>& notes, const Environment& environment = process_environment());

  bool is_sweep() const { return !sweep_.axes.empty(); }
  std::size_t size() const { return sweep_.points(); }
  const Sweep& sweep() const { return sweep_; }

  struct Point {
    RunConfig config;
    std::vector<std::string> values;   ///< one for each axis, for a cell of a table
    std::vector<std::string> changes;  ///< overrides that make this point of the configuration
  };
  /// `index` < size().
  Point at(std::size_t index) const;

 private:
  RunConfig read(std::size_t index, Complaints& complaints) const;
  void note_lost_arguments(Complaints& complaints) const;

  std::string file_;
  Environment environment_;
  std::vector<ModelListing> models_;  ///< of all points, read once
  YamlNode tree_;                     ///< the configuration with its overrides, without models and sweep
  Sweep sweep_;
};

}  // namespace stemma
