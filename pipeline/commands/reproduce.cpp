// Paths change, results must not: models are found again, everything else is as it is recorded.
#include "pipeline/commands/reproduce.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "io/archive/archive_reader.hpp"
#include "io/archive/row_values.hpp"
#include "pipeline/commands/recorded_inputs.hpp"
#include "pipeline/commands/target.hpp"
#include "pipeline/version.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// What the configuration says of a model beyond its archive: forced tables, the user's own words. Entries
/// that can no longer be listed say what they say themselves.
std::map<std::string, ModelSource> sources_by_id(const RunConfig& config) {
  std::map<std::string, ModelSource> sources;
  try {
    std::vector<std::string> notes;
    for (ModelSource& source : expand_models(config, notes)) sources.emplace(source.id, source);
  } catch (const ConfigProblems&) {
    for (const ModelListing& entry : config.models)
      if (entry.kind == ModelListing::Kind::path) {
        ModelSource source;
        source.id = entry.id.empty() ? fs::path(entry.location).filename().string() : entry.id;
        source.variant = entry.variant;
        source.architecture = entry.architecture;
        source.family = entry.family;
        source.base = entry.base;
        source.relation = entry.relation;
        sources.emplace(source.id, source);
      }
  }
  return sources;
}

ModelListing listing_of(const ModelRow& row, const fs::path& place,
                        const std::map<std::string, ModelSource>& sources) {
  ModelListing entry;
  entry.location = place.string();
  entry.id = row.id;
  entry.label = row.label;
  entry.revision = row.revision;
  entry.use = static_cast<ModelUse>(row.use);
  if (const auto source = sources.find(row.id); source != sources.end()) {
    entry.base = source->second.base;
    entry.relation = source->second.relation;
    entry.family = source->second.family;
    entry.variant = source->second.variant;
    entry.architecture = source->second.architecture;
  }
  return entry;
}

/// A file that is as long as it was may be the same; one that is not cannot.
void check_sizes(const std::vector<RecordedFile>& files) {
  for (const RecordedFile& file : files) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(file.now, error);
    if (error || size == file.bytes) continue;
    throw InvalidInput(
        {.rule = "reproduce.size",
         .file = file.now.string(),
         .expected = fmt::format("{} bytes, as the archive has recorded", with_commas(file.bytes)),
         .found = fmt::format("{} bytes", with_commas(size)),
         .hint = "it is another file. Name the place of the right ones with --inputs"});
  }
}

std::map<std::string, std::uint64_t> versions_in(const SourceRows& rows) {
  std::map<std::string, std::uint64_t> versions;
  for (const layout::Group& group : layout::groups()) {
    if (!group.of_method()) continue;
    const auto version = rows.file().group(group.path).integers("version");
    if (version && !version->empty() && version->front() > 0) versions[group.last_step()] = version->front();
  }
  return versions;
}

/// Does the second archive hold the model with the hashes that the first recorded?
bool same_content(const SourceRows& before, std::uint64_t model, const SourceRows& now,
                  const std::string& id) {
  const auto ids = now.table().text("models/id");
  const auto found = std::ranges::lower_bound(ids, id);
  if (found == ids.end() || *found != id) return false;
  const auto other = static_cast<std::uint64_t>(found - ids.begin());
  for (const char* dimension : {"tensor", "files/file"}) {
    const layout::RowKind& kind = layout::row_kind(dimension);
    for (const layout::PlacedColumn& column : kind.columns) {
      const std::string& name = column.column->name;
      if (name != "content_hash_hi" && name != "content_hash_lo" && name != "sha256") continue;
      if (values_of_model(before, kind, column, model) != values_of_model(now, kind, column, other))
        return false;
    }
  }
  return true;
}

std::string hashes_in_words(const ArchiveHashes& before, const ArchiveHashes& now, const Against& against) {
  const auto one = [](const char* name, const std::string& a, const std::string& b) {
    return a == b ? fmt::format("{} equal ({})", name, a.substr(0, 12))
                  : fmt::format("{} differs ({} recorded, {} now)", name, a.substr(0, 12), b.substr(0, 12));
  };
  return fmt::format("{}, {}: {}", one("canonical_exact", before.exact, now.exact),
                     one("canonical_all", before.all, now.all),
                     before == now ? "bit for bit" : against.relation);
}

}  // namespace

Reproduction::Reproduction(const std::string& archive, const std::string& inputs,
                           const std::vector<Word>& overrides)
    : archive_(archive_at(archive)) {
  const ArchiveReader reader(archive_);
  const SourceRows rows(h5::File::open(archive_.string()));
  const std::string name = printable(archive_.string());
  if (rows.extent("run") != 1 || !rows.table().text("provenance/archive").front().empty())
    throw UsageError(
        fmt::format("{} was merged from archives of several runs. Reproduce those, one by one", name));
  if (!inputs.empty() && !fs::is_directory(inputs))
    throw UsageError(fmt::format("--inputs {} is no directory", printable(inputs)));
  std::vector<Override> changes;
  for (const Word& word : overrides) {
    if (!word.changes)
      throw UsageError(fmt::format("{} is no override, and the archive brings its own configuration",
                                   printable(word.text)));
    changes.push_back(word.as_override());
    configuration_.overrides += word.text + "\n";
  }
  configuration_.original = reader.config().resolved_yaml;
  RunConfig& config = configuration_.config;
  config = parse_run_config(configuration_.original, archive_.string(), changes, configuration_.notes);
  compares_ = rows.extent("pair") > 0;

  const auto sources = sources_by_id(config);
  std::vector<std::string> absent;
  std::vector<fs::path> places;
  std::vector<ModelListing> listings;
  for (const ModelRow& row : reader.models()) {
    const bool known = row.format == format_of_known;  // its archive is named by compare.against
    const auto place = known ? row.path : place_of(row, inputs);
    if (!place) absent.push_back(fmt::format("{} (was {})", printable(row.id), printable(row.path)));
    places.push_back(place.value_or(row.path));
    listings.push_back(listing_of(row, places.back(), sources));
  }
  if (!absent.empty())
    throw UsageError(
        fmt::format("{} of {} not found: {}. Say with --inputs in which directory they lie, by id",
                    absent.size(), counted(places.size(), "input"), fmt::join(absent, ", ")));
  check_sizes(recorded_files(rows, reader.models(), places));
  config.models.clear();
  for (std::size_t m = 0; m < listings.size(); ++m)
    if (reader.models()[m].format != format_of_known) config.models.push_back(std::move(listings[m]));
  config.output = (fs::absolute(archive_).parent_path() / (config.name + "-reproduced")).string();
}

void Reproduction::limit(AuditRequest& request) const {
  if (compares_) return;
  leave_out_pairs(request);
}

Reproduced Reproduction::hold(const fs::path& again) const {
  const ArchiveReader recorded(archive_, SealCheck::trust), repeated(again, SealCheck::trust);
  const SourceRows before(h5::File::open(archive_.string())), now(h5::File::open(again.string()));
  Reproduced result;
  result.against = hold_against(again, archive_);

  std::vector<std::string> versions;
  const auto then = versions_in(before), today = versions_in(now);
  for (const auto& [method, version] : then) {
    const auto other = today.find(method);
    const std::uint64_t found = other == today.end() ? 0 : other->second;
    versions.push_back(fmt::format("{} {} -> {}", method, version, found));
    if (found != version) result.other_methods.push_back(method);
  }
  result.lines.push_back(fmt::format(
      "made by {} ({}), this is {} ({}): {} ({})", printable(recorded.attribute("software_version")),
      printable(recorded.attribute("software_commit")), version_text, commit_text, fmt::join(versions, ", "),
      result.other_methods.empty()
          ? "same algorithms"
          : fmt::format("{} changed since: compared by tolerance", fmt::join(result.other_methods, ", "))));

  const auto ids = before.table().text("models/id");
  for (std::uint64_t model = 0; model < ids.size(); ++model) {
    if (recorded.models()[model].format == format_of_known) continue;  // no weights of it are read
    ++result.inputs;
    result.same_inputs += same_content(before, model, now, ids[model]);
  }
  result.lines.push_back(
      fmt::format("{} of {} the recorded hashes", result.same_inputs,
                  result.inputs == 1 ? "1 input has" : fmt::format("{} inputs have", result.inputs)));
  result.lines.push_back(hashes_in_words(recorded.hashes(), repeated.hashes(), result.against));
  return result;
}

nlohmann::ordered_json reproduced_json(const Reproduced& reproduced, const fs::path& again) {
  return {{"schema", "stemma.reproduce/1"},
          {"stemma", version_text},
          {"archive", again.string()},
          {"agrees", reproduced.against.agreement != Agreement::different},
          {"inputs", reproduced.inputs},
          {"inputs_with_recorded_hashes", reproduced.same_inputs},
          {"other_methods", reproduced.other_methods},
          {"difference", difference_json(reproduced.against)}};
}

}  // namespace stemma
