// Models are found by id and pairs by both, so that neither order nor company shows.
#include "io/archive/archive_difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "io/archive/value_difference.hpp"
#include "io/model/finding.hpp"

namespace stemma {
namespace {

using layout::PlacedColumn;
using layout::RowKind;

std::map<std::string, std::uint64_t> models_of(const SourceRows& rows) {
  std::map<std::string, std::uint64_t> models;
  for (const std::string& id : rows.table().text("models/id")) models.emplace(id, models.size());
  return models;
}

std::map<std::string, std::uint64_t> pairs_of(const SourceRows& rows) {
  const auto ids = rows.table().text("models/id");
  const auto a = rows.table().read<std::uint32_t>("pairs/model_a");
  const auto b = rows.table().read<std::uint32_t>("pairs/model_b");
  std::map<std::string, std::uint64_t> pairs;
  for (std::uint64_t row = 0; row < a.size(); ++row)
    pairs.emplace(fmt::format("{} and {}", ids.at(a[row]), ids.at(b[row])), row);
  return pairs;
}

/// Whose numbers a column holds.
std::string method_of(const layout::Group& group) {
  if (group.of_method()) return group.last_step();
  if (group.path == "moments" || group.path == "histograms" || group.path == "vectors" ||
      group.path == "codes")
    return "histogram";
  if (group.path == "spectra") return "spectrum";
  if (group.path == "layers") return "histogram and spectrum";
  if (group.path == "pairs" || group.path == "evidence" || group.path == "backgrounds") return "comparison";
  return "inputs";
}

class Differences {
 public:
  Differences(const SourceRows& here, const SourceRows& there) : here_(here), there_(there) {}

  ArchiveDifference find() {
    compare_methods();
    compare_by_name("model", models_of(here_), models_of(there_));
    compare_by_name("pair", pairs_of(here_), pairs_of(there_));
    for (const RowKind& kind : layout::row_kinds()) {
      if (layout::belongs_to(kind, "model") || layout::belongs_to(kind, "pair")) continue;
      const std::string& root = kind.owner.empty() ? kind.dimension : kind.owner;
      compare_kind(kind, "", pieces(here_, kind, {{0, here_.extent(root)}}),
                   pieces(there_, kind, {{0, there_.extent(root)}}), 0, 0);
    }
    return std::move(found_);
  }

 private:
  void note(Agreement agreement) { found_.agreement = std::max(found_.agreement, agreement); }

  void compare_methods() {
    for (const layout::Group& group : layout::groups()) {
      if (!group.of_method()) continue;
      const auto a = here_.file().group(group.path), b = there_.file().group(group.path);
      const auto version = [](const h5::Group& g) {
        const auto numbers = g.integers("version");
        return numbers && !numbers->empty() ? numbers->front() : 0;
      };
      const std::string name = group.last_step();
      if (version(a) != version(b))
        found_.methods.push_back(fmt::format("{}: version {} here, {} there", name, version(a), version(b)));
      if (const auto x = a.text("parameters_json"), y = b.text("parameters_json"); x != y)
        found_.methods.push_back(fmt::format("{}: parameters {} here, {} there", name,
                                             printable(x.value_or("none")), printable(y.value_or("none"))));
    }
  }

  void compare_by_name(const std::string& root, const std::map<std::string, std::uint64_t>& here,
                       const std::map<std::string, std::uint64_t>& there) {
    for (const auto& [name, row] : there)
      if (!here.contains(name)) found_.only_there.push_back(name);
    for (const auto& [name, row] : here) {
      const auto other = there.find(name);
      if (other == there.end()) {
        found_.only_here.push_back(name);
        continue;
      }
      for (const RowKind& kind : layout::row_kinds())
        if (layout::belongs_to(kind, root))
          compare_kind(kind, name, under(here_, root, row, kind), under(there_, root, other->second, kind),
                       row, other->second);
    }
    if (!found_.only_here.empty() || !found_.only_there.empty()) note(Agreement::different);
  }

  /// Rows of a kind, apart where they belong to different rows: numbers are large or small beside those of
  /// the same piece.
  static std::vector<std::vector<RowRange>> pieces(const SourceRows& rows, const RowKind& kind,
                                                   const std::vector<RowRange>& owners) {
    std::vector<std::vector<RowRange>> found;
    if (kind.start.empty()) return {owners};
    for (const RowRange& range : owners)
      for (std::uint64_t row = range.first; row < range.end(); ++row) found.push_back(rows.owned(kind, row));
    return found;
  }

  static std::vector<std::vector<RowRange>> under(const SourceRows& rows, const std::string& root,
                                                  std::uint64_t row, const RowKind& kind) {
    if (kind.start.empty() || kind.dimension == root || kind.owner == root)
      return {rows.below(root, row, kind)};
    return pieces(rows, kind, rows.below(root, row, layout::row_kind(kind.owner)));
  }

  void compare_kind(const RowKind& kind, const std::string& subject,
                    const std::vector<std::vector<RowRange>>& here,
                    const std::vector<std::vector<RowRange>>& there, std::uint64_t model_here,
                    std::uint64_t model_there) {
    for (const PlacedColumn& column : kind.columns) {
      if (column.column->enters == layout::Enters::record || !has_content(*column.column)) continue;
      ValueDifference difference(*column.column, !kind.start.empty() && kind.owner != "model");
      for (std::size_t i = 0; i < std::max(here.size(), there.size()); ++i)
        difference.add(i < here.size() ? values_of(here_, column, here[i], model_here) : RowValues{},
                       i < there.size() ? values_of(there_, column, there[i], model_there) : RowValues{});
      if (difference.agreement() == Agreement::equal) continue;
      note(difference.agreement());
      found_.columns.push_back({.subject = subject,
                                .method = method_of(*column.group),
                                .dataset = column.path(),
                                .agreement = difference.agreement(),
                                .values = difference.differing(),
                                .of = difference.compared(),
                                .size = difference.size(),
                                .example = difference.example()});
    }
  }

  const SourceRows& here_;
  const SourceRows& there_;
  ArchiveDifference found_;
};

}  // namespace

ArchiveDifference difference_between(const SourceRows& here, const SourceRows& there) {
  return Differences(here, there).find();
}

}  // namespace stemma
