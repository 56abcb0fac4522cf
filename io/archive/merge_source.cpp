// A source is judged first: merging trusts every index.
#include "io/archive/merge_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "io/archive/archive_reader.hpp"
#include "io/archive/archive_validator.hpp"
#include "io/archive/layout.hpp"

namespace stemma {
namespace {

using Json = nlohmann::ordered_json;

h5::File judged(const std::filesystem::path& path) {
  const ArchiveReader archive(path);  // its refusals are sentences
  if (const std::string version = archive.attribute("stemma_archive"); version != layout::version)
    throw InvalidInput({.rule = "archive.other_version",
                        .file = path.string(),
                        .expected = fmt::format("version {}", layout::version),
                        .found = version,
                        .hint = "merging would lose columns that only the other version knows"});
  if (const auto complaints = validate(path); !complaints.empty())
    throw InvalidInput({.rule = "archive.invalid",
                        .file = path.string(),
                        .expected = "an archive without complaints",
                        .found = sentence(complaints.front()),
                        .hint = "stemma verify lists everything that is wrong"});
  return h5::File::open(path.string());
}

/// Does any column of the group belong to pairs? Methods without columns look at models.
bool asks_pairs(const layout::Group& group) {
  return std::ranges::any_of(group.columns, [&](const layout::Column& column) {
    if (column.dims.empty() || column.derived) return false;
    const auto placed = layout::find_dimension(group, column.dims.front());
    return placed.dimension->grows() && !layout::belongs_to_models(layout::row_kind(placed.path));
  });
}

std::string plain(std::string name) {
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && std::string_view("._+-").find(c) == std::string::npos)
      c = '-';
  return name;
}

}  // namespace

MergeSource::MergeSource(const std::filesystem::path& path)
    : path_(std::filesystem::absolute(path)), rows_(judged(path_)), ids_(rows_.table().text("models/id")) {}

std::string MergeSource::attribute(const std::string& name) const {
  return rows_.file().group("").text(name).value_or("");
}

std::string MergeSource::methods_json() const {
  Json methods = {{"models", Json::object()}, {"pairs", Json::object()}};
  for (const layout::Group& group : layout::groups()) {
    if (!group.of_method()) continue;
    const h5::Group found = rows_.file().group(group.path);
    const auto version = found.integers("version");
    if (!version || version->empty() || version->front() == 0) continue;  // nobody asked it
    const std::string parameters = found.text("parameters_json").value_or("");
    methods[asks_pairs(group) ? "pairs" : "models"][group.last_step()] = {
        {"version", version->front()}, {"parameters", Json::parse(parameters, nullptr, false)}};
  }
  return methods.dump();
}

std::string MergeSource::plan_json() const {
  const h5::Group plan = rows_.file().group("plan");
  Json totals = Json::object();
  for (const char* name : {"W", "LB", "lambda", "makespan_predicted", "makespan", "eff"})
    if (const auto value = plan.real(name)) totals[name] = *value;
  if (const auto text = plan.text("calibration_json"))
    totals["calibration"] = Json::parse(*text, nullptr, false);
  totals["digest"] = attribute("plan_digest");
  return totals.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string MergeSource::run_text(const std::string& column, std::uint32_t run) const {
  const std::string stored = rows_.table().text("provenance/" + column, run, 1).front();
  const std::string archive = rows_.table().text("provenance/archive", run, 1).front();
  if (!archive.empty()) return stored;  // the row is whole
  if (column == "archive") return path_.filename().string();
  if (column == "methods_json") return methods_json();
  if (column == "plan_json") return plan_json();
  for (const char* name : {"resolved_yaml", "original_yaml", "overrides"})
    if (column == name) return rows_.table().scalar("config/" + column);
  for (const char* name :
       {"software_version", "software_commit", "machine", "created", "canonical_exact", "canonical_all"})
    if (column == name) return attribute(column);
  return stored;
}

std::uint32_t MergeSource::run_of(std::uint64_t model) const {
  return rows_.table().one<std::uint32_t>("models/run_index", model);
}

std::string MergeSource::methods_of(std::uint64_t model) const {
  const std::uint32_t run = run_of(model);
  const std::string text = run == no_row ? methods_json() : run_text("methods_json", run);
  return Json::parse(text, nullptr, false).value("models", Json::object()).dump();
}

std::vector<std::string> MergeSource::rank() const {
  return {attribute("canonical_exact"), attribute("canonical_all"), attribute("run_uuid"), path_.string()};
}

std::vector<std::string> names_of(const std::vector<MergeSource>& sources) {
  using Scheme = std::string (*)(const MergeSource&);
  constexpr std::array<Scheme, 4> schemes = {
      [](const MergeSource& s) { return s.path().stem().string(); },
      [](const MergeSource& s) { return s.path().parent_path().filename().string(); },
      [](const MergeSource& s) {
        return fmt::format("{}-{}", s.path().parent_path().filename().string(), s.path().stem().string());
      },
      [](const MergeSource& s) {
        return fmt::format("{}-{}", s.path().stem().string(), s.attribute("run_uuid"));
      }};
  std::vector<std::string> names;
  for (const Scheme scheme : schemes) {
    names.clear();
    for (const MergeSource& source : sources) names.push_back(plain(scheme(source)));
    if (std::set(names.begin(), names.end()).size() == names.size()) break;
  }
  return names;
}

}  // namespace stemma
