// Pairs that were compared anew are written to tables of their own first, and are one more source then.
#include "io/archive/merge_archives.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "io/archive/merge_tables.hpp"
#include "io/archive/pair_rows.hpp"

namespace stemma {
namespace {

using Json = nlohmann::ordered_json;

/// A file of tables that nobody sees and that goes away with its name.
class ScratchTables {
 public:
  ScratchTables(std::filesystem::path path, const NewPairs& pairs) : path_(std::move(path)) {
    TableWriter table(path_.string(), {});
    for (const Pair& pair : pairs.pairs) write_pair(table, pair);
    for (const BackgroundScores& b : pairs.backgrounds)
      write_background(table, b.method, b.population, b.scores);
    table.finish();
    table.file().close();
  }
  ~ScratchTables() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  ScratchTables(const ScratchTables&) = delete;
  ScratchTables& operator=(const ScratchTables&) = delete;

  SourceRows rows() const { return SourceRows(h5::File::open(path_.string())); }

 private:
  std::filesystem::path path_;
};

/// A text on which all runs agree, else "".
std::string common(const std::vector<MergeSource>& sources, const std::string& column) {
  std::set<std::string> texts;
  for (const MergeSource& source : sources)
    for (std::uint32_t run = 0; run < source.rows().extent("run"); ++run)
      texts.insert(source.run_text(column, run));
  return texts.size() == 1 ? *texts.begin() : "";
}

/// Attributes of the groups of methods: what all runs that used a method agree on. Where they do not, the
/// version is 0 and the runs tell it in /provenance.
void write_methods(TableWriter& table, const std::vector<MergeSource>& sources) {
  std::map<std::string, std::set<std::pair<std::uint64_t, std::string>>> used;
  std::map<std::string, std::string> papers;
  for (const MergeSource& source : sources) {
    for (std::uint32_t run = 0; run < source.rows().extent("run"); ++run) {
      const Json methods = Json::parse(source.run_text("methods_json", run), nullptr, false);
      for (const char* subject : {"models", "pairs"}) {
        const Json of_subject = methods.value(subject, Json::object());
        for (const auto& [name, method] : of_subject.items())
          used[name].emplace(method.value("version", std::uint64_t{0}),
                             method.value("parameters", Json::object()).dump());
      }
    }
    for (const layout::Group& group : layout::groups())
      if (group.of_method())
        if (const auto paper = source.rows().file().group(group.path).text("paper"); paper && !paper->empty())
          papers[group.path] = *paper;
  }
  for (const auto& [path, paper] : papers) table.file().group(path).set_text("paper", paper);
  for (const auto& [name, ways] : used) {
    h5::Group group = table.file().group("methods/" + name);
    if (ways.size() != 1) continue;
    group.set_integer("version", h5::Type::u4, ways.begin()->first);
    group.set_text("parameters_json", ways.begin()->second);
  }
}

/// Totals of one plan mean nothing beside those of another; the runs keep theirs.
void write_plan_totals(TableWriter& table) {
  h5::Group group = table.file().group("plan");
  for (const char* name : {"W", "LB", "lambda", "makespan_predicted", "makespan", "eff"})
    group.set_real(name, std::numeric_limits<double>::quiet_NaN());
  group.set_text("calibration_json", "{}");
}

}  // namespace

std::vector<MergeSource> open_sources(const std::vector<std::filesystem::path>& paths) {
  std::vector<MergeSource> sources;
  for (const std::filesystem::path& path : paths) sources.emplace_back(path);
  std::ranges::sort(sources, {}, [](const MergeSource& source) { return source.rank(); });
  return sources;
}

MergeOutcome write_merged(const std::filesystem::path& output, std::string_view suffix,
                          const std::vector<MergeSource>& sources, const MergePlan& plan,
                          const NewPairs& new_pairs, RootRecord root) {
  const ScratchTables scratch(fmt::format("{}.tmp.{}.pairs", output.string(), suffix), new_pairs);
  const SourceRows compared = scratch.rows();
  const MergedRows rows(sources, plan, &compared);
  UnfinishedArchive archive(output, suffix, {});
  TableWriter& table = archive.table();
  const auto contents = write_merged_tables(table, sources, plan, rows);
  write_duplicates(table, contents, table.rows("tensors/name"));
  write_methods(table, sources);
  write_plan_totals(table);
  MergeOutcome outcome{
      .hashes = {}, .pairs = table.rows("pairs/verdict"), .repeated_pairs = rows.repeated_pairs()};
  root.resolved_yaml = common(sources, "resolved_yaml");
  root.original_yaml = common(sources, "original_yaml");
  root.overrides = common(sources, "overrides");
  outcome.hashes = archive.publish(root);
  return outcome;
}

}  // namespace stemma
