// No process locks another out: the last one to write the table has seen every record that was there before.
#include "pipeline/sweep_directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>

#include "io/archive/sha256.hpp"
#include "io/archive/storage_error.hpp"
#include "io/report/tsv.hpp"
#include "pipeline/json_document.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* record_name = "point.json";
constexpr std::size_t digest_digits = 8;

Json or_null(const auto& value) { return value ? Json(*value) : Json(); }

std::optional<std::size_t> number_in(const Environment& environment, const std::string& name) {
  const auto text = environment(name);
  std::size_t number = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc{})
    return std::nullopt;
  return number;
}

}  // namespace

SweepDirectory::SweepDirectory(std::filesystem::path path, const RunSeries& series) : path_(std::move(path)) {
  for (const Axis& axis : series.sweep().axes) keys_.push_back(axis.key->path);
  for (std::size_t i = 0; i < series.size(); ++i) {
    RunSeries::Point point = series.at(i);
    points_.push_back(
        {std::move(point.values), sha256_hex(results_yaml(point.config)).substr(0, digest_digits)});
  }
}

std::string SweepDirectory::name(std::size_t point) const {
  const std::size_t width = std::max<std::size_t>(2, fmt::formatted_size("{}", points_.size() - 1));
  return fmt::format("p{:0{}}-{}", point, width, points_[point].digest);
}

PointRecord SweepDirectory::record_of(std::size_t point) const {
  std::ifstream file(directory(point) / record_name, std::ios::binary);
  const Json json = Json::parse(file, nullptr, false);
  PointRecord record;
  try {
    if (!json.is_object() || json.value("schema", "") != "stemma.point/1") return {};
    record.started = json.at("started").get<std::string>();
    if (const Json& code = json.at("exit_code"); !code.is_null()) record.exit_code = code.get<int>();
    if (const Json& seconds = json.at("seconds"); !seconds.is_null()) record.seconds = seconds.get<double>();
    record.canonical_exact = json.at("canonical_exact").get<std::string>();
  } catch (const Json::exception&) {
    return {};
  }
  return record;
}

void SweepDirectory::write(std::size_t point, const PointRecord& record) const {
  Json settings = Json::object();
  for (std::size_t i = 0; i < keys_.size(); ++i) settings[keys_[i]] = values(point)[i];
  write_whole(directory(point) / record_name, json_text({{"schema", "stemma.point/1"},
                                                         {"point", point},
                                                         {"settings", settings},
                                                         {"digest", digest(point)},
                                                         {"started", record.started},
                                                         {"exit_code", or_null(record.exit_code)},
                                                         {"seconds", or_null(record.seconds)},
                                                         {"canonical_exact", record.canonical_exact}}));
  // Another process may have read the records before this one was there, and rename its table after ours. So
  // everybody looks again after renaming: whoever is last has seen all records. The table is written in the
  // point's own directory, where no process of another machine has a file of the same name.
  const std::filesystem::path own = directory(point) / "sweep.tsv.new";
  for (std::string text = table(), now;; text = std::move(now)) {
    write_whole(own, text);
    std::error_code error;
    std::filesystem::rename(own, table_file(), error);
    if (error) throw StorageError(table_file(), "", "write", error.value());
    now = table();
    if (now == text) return;
  }
}

std::string SweepDirectory::table() const {
  std::vector<std::string> columns = {"point", "directory"};
  columns.insert(columns.end(), keys_.begin(), keys_.end());
  for (const char* column : {"digest", "exit_code", "started", "seconds", "canonical_exact"})
    columns.emplace_back(column);
  Tsv table(columns);
  for (std::size_t i = 0; i < size(); ++i) {
    const PointRecord record = record_of(i);
    std::vector<std::string> cells = {cell(i), name(i)};
    for (const std::string& value : values(i)) cells.push_back(cell(value));
    cells.insert(cells.end(), {digest(i), cell(record.exit_code), cell(record.started), cell(record.seconds),
                               cell(record.canonical_exact)});
    table.add(std::move(cells));
  }
  return table.text();
}

std::string missed_points(std::size_t size, const Environment& environment) {
  const auto lowest = number_in(environment, "SLURM_ARRAY_TASK_MIN");
  const auto highest = number_in(environment, "SLURM_ARRAY_TASK_MAX");
  const auto tasks = number_in(environment, "SLURM_ARRAY_TASK_COUNT");
  if (!lowest || !highest || !tasks) return "";
  // Tasks past the last point do nothing, so a longer array misses none of them.
  if (*lowest == 0 && *highest + 1 >= size && *tasks >= size) return "";
  return fmt::format(
      "this job array has {} from {} to {}, and the sweep has {}: some are left out. Submit "
      "--array=0-{}",
      counted(*tasks, "task"), *lowest, *highest, counted(size, "point"), size - 1);
}

std::string points_run_often(const Environment& environment) {
  const auto tasks = number_in(environment, "SLURM_ARRAY_TASK_COUNT");
  if (!tasks || *tasks < 2) return "";
  return fmt::format(
      "all points are run here, and this is one of {}: if the others have the same "
      "configuration, they get into each other's way. slurm/sweep.sbatch gives each its point",
      counted(*tasks, "task of a job array", "tasks of a job array"));
}

}  // namespace stemma
