// Hashes first: archives that agree in them are not looked at any further.
#include "pipeline/commands/against.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "io/archive/archive_reader.hpp"
#include "io/model/finding.hpp"

namespace stemma {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_lines = 20;
constexpr std::size_t most_roundings = 6;

std::string sentence_of(const ColumnDifference& d) {
  std::string text = d.subject.empty() ? "" : printable(d.subject) + ": ";
  text += fmt::format("{}: {}: ", d.method, d.dataset);
  if (d.of > 0) text += fmt::format("{} of {} values differ", d.values, d.of);
  if (!std::isnan(d.size)) text += fmt::format(", by {:.2g} at most", d.size);
  return fmt::format("{}{}: {}", text, d.of > 0 ? ", the first" : "not as many", d.example);
}

/// The first lines, and how many there are more.
void cut(std::vector<std::string>& lines, std::size_t most) {
  if (lines.size() <= most) return;
  const std::size_t more = lines.size() - most;
  lines.resize(most);
  lines.push_back(fmt::format("and {} more", more));
}

void say_who_is_missing(const ArchiveDifference& difference, std::vector<std::string>& lines) {
  for (const std::string& name : difference.only_here) lines.push_back(printable(name) + ": only here");
  for (const std::string& name : difference.only_there) lines.push_back(printable(name) + ": only there");
}

}  // namespace

Against hold_against(const std::filesystem::path& here, const std::filesystem::path& there) {
  Against against;
  const ArchiveHashes mine = ArchiveReader(here, SealCheck::trust).hashes();
  const ArchiveHashes others = ArchiveReader(there, SealCheck::trust).hashes();
  if (mine == others) {
    against.relation = "equal";
    return against;
  }
  against.difference = difference_between(SourceRows(h5::File::open(here.string())),
                                          SourceRows(h5::File::open(there.string())));
  against.agreement = against.difference.agreement;
  if (mine.exact != others.exact && against.agreement == Agreement::different)
    against.differing.push_back(fmt::format("canonical_exact {} there, {} here", others.exact, mine.exact));
  else if (against.agreement == Agreement::different)
    against.differing.push_back(fmt::format("canonical_all {} there, {} here", others.all, mine.all));
  if (against.agreement == Agreement::different)
    for (const std::string& line : against.difference.methods) against.differing.push_back(line);
  say_who_is_missing(against.difference, against.differing);
  for (const ColumnDifference& column : against.difference.columns)
    (column.agreement == Agreement::different ? against.differing : against.rounding)
        .push_back(sentence_of(column));
  cut(against.differing, most_lines);
  cut(against.rounding, most_roundings);
  const char* exact = mine.exact == others.exact ? "canonical_exact is equal" : "in another order";
  against.relation = against.agreement == Agreement::different ? "different"
                     : against.agreement == Agreement::rounding
                         ? fmt::format("equal but for rounding ({})", exact)
                         : fmt::format("equal values ({})", exact);
  return against;
}

nlohmann::ordered_json difference_json(const Against& against) {
  Json columns = Json::array();
  for (const ColumnDifference& d : against.difference.columns)
    columns.push_back({{"subject", d.subject},
                       {"method", d.method},
                       {"dataset", d.dataset},
                       {"may_differ", d.agreement == Agreement::rounding},
                       {"values", d.values},
                       {"of", d.of},
                       {"size", std::isnan(d.size) ? Json(nullptr) : Json(d.size)},
                       {"example", d.example}});
  return {{"relation", against.relation},
          {"only_here", against.difference.only_here},
          {"only_there", against.difference.only_there},
          {"methods", against.difference.methods},
          {"columns", columns}};
}

}  // namespace stemma
