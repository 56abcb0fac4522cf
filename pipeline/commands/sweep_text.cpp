// Ten thousand points are counted, and the first of them shown.
#include "pipeline/commands/sweep_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/model/finding.hpp"
#include "io/report/columns.hpp"
#include "pipeline/json_document.hpp"
#include "pipeline/version.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_shown = 20;
constexpr std::size_t digits_of_hash = 12;

std::string more_of(std::size_t points) {
  return points > most_shown ? fmt::format("  and {} more\n", with_commas(points - most_shown)) : "";
}

}  // namespace

std::string points_text(const Sweep& sweep) {
  std::vector<std::string> factors;
  std::vector<std::vector<std::string>> rows{{"point"}};
  for (const Axis& axis : sweep.axes) {
    factors.push_back(fmt::format("{} ({})", axis.key->path, axis.values.size()));
    rows[0].push_back(axis.key->path);
  }
  for (std::size_t point = 0; point < std::min(sweep.points(), most_shown); ++point) {
    rows.push_back({fmt::format("{}", point)});
    const std::vector<std::size_t> values = sweep.values_at(point);
    for (std::size_t i = 0; i < values.size(); ++i)
      rows.back().push_back(printable(written(sweep.axes[i].values[values[i]])));
  }
  return fmt::format("{}: {}\n{}{}", counted(sweep.points(), "point"),
                     fmt::join(factors, sweep.mode == SweepMode::zip ? " with " : " x "), aligned(rows),
                     more_of(sweep.points()));
}

nlohmann::ordered_json points_document(const Sweep& sweep, std::size_t planned) {
  Json over = Json::object();
  for (const Axis& axis : sweep.axes) {
    over[axis.key->path] = Json::array();
    for (const YamlNode& value : axis.values) over[axis.key->path].push_back(written(value));
  }
  return {{"points", sweep.points()},
          {"mode", sweep.mode == SweepMode::zip ? "zip" : "grid"},
          {"over", over},
          {"planned", planned}};
}

std::string results_text(const SweepDirectory& directory) {
  std::vector<std::vector<std::string>> rows{{"point"}};
  rows[0].insert(rows[0].end(), directory.keys().begin(), directory.keys().end());
  rows[0].insert(rows[0].end(), {"exit code", "seconds", "canonical_exact"});
  for (std::size_t point = 0; point < std::min(directory.size(), most_shown); ++point) {
    const PointRecord record = directory.record_of(point);
    rows.push_back({fmt::format("{}", point)});
    for (const std::string& value : directory.values(point)) rows.back().push_back(printable(value));
    rows.back().push_back(record.exit_code ? fmt::format("{}", *record.exit_code) : "-");
    rows.back().push_back(record.seconds ? fmt::format("{:.1f}", *record.seconds) : "-");
    const std::string hash = record.canonical_exact.substr(0, digits_of_hash);
    rows.back().push_back(hash.empty() ? "-" : hash);
  }
  return fmt::format("{}{}  All points: {}\n", aligned(rows), more_of(directory.size()),
                     printable(directory.table_file().string(), 4000));
}

std::string results_json(const SweepDirectory& directory) {
  Json points = Json::array();
  for (std::size_t i = 0; i < directory.size(); ++i) {
    const PointRecord record = directory.record_of(i);
    Json settings = Json::object();
    for (std::size_t k = 0; k < directory.keys().size(); ++k)
      settings[directory.keys()[k]] = directory.values(i)[k];
    points.push_back(
        {{"point", i},
         {"directory", directory.name(i)},
         {"settings", settings},
         {"digest", directory.digest(i)},
         {"exit_code", record.exit_code ? Json(*record.exit_code) : Json()},
         {"started", record.started.empty() ? Json() : Json(record.started)},
         {"seconds", record.seconds ? Json(*record.seconds) : Json()},
         {"canonical_exact", record.canonical_exact.empty() ? Json() : Json(record.canonical_exact)}});
  }
  return json_text({{"schema", "stemma.sweep/1"},
                    {"stemma", version_text},
                    {"directory", directory.path().string()},
                    {"points", points}});
}

}  // namespace stemma
