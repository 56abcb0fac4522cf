// How does the layout describe itself?
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "io/archive/layout.hpp"

namespace stemma::layout {
namespace {

std::string dimension_line(const Dimension& d) {
  switch (d.scale) {
    case Scale::numbers:
      return d.grows() ? fmt::format("  dimension {}: {}\n", d.name, d.long_name)
                       : fmt::format("  dimension {} = {}: {}\n", d.name, d.extent, d.long_name);
    case Scale::labels:
      return fmt::format("  dimension {} = {}: {}: {}\n", d.name, d.extent, d.long_name,
                         fmt::join(d.labels, " "));
    case Scale::values:
      return fmt::format("  dimension {} = {}: {}: {}\n", d.name, d.extent, d.long_name,
                         fmt::join(d.values, " "));
    case Scale::found_labels:
      return fmt::format("  dimension {}: {}, named in the scale\n", d.name, d.long_name);
    case Scale::bare:
      return fmt::format("  dimension {}: {}, not numbered\n", d.name, d.long_name);
  }
  throw std::logic_error("a scale of no kind");
}

std::string column_line(const Column& c) {
  std::string head = fmt::format("{} {}", c.name, h5::name_of(c.type));
  if (!c.dims.empty()) head += fmt::format("[{}]", fmt::join(c.dims, ", "));
  std::string tail = c.long_name;
  if (c.type != h5::Type::str && c.units != "1") tail += fmt::format(" ({})", c.units);
  if (!c.flags.empty()) tail += fmt::format("; flags {}", c.flags);
  if (!c.refers.empty()) tail += fmt::format("; index into {}", c.refers);
  if (c.owner) tail += ", to which the row belongs";
  if (!c.counts.empty()) tail += fmt::format("; counts {}", c.counts);
  if (c.derived) tail += "; follows from the tensors of all models";
  if (c.sentinel) tail += "; may be missing";
  return fmt::format("  {:<38} {:<8} {}\n", head, name_of(c.enters), tail);
}

}  // namespace

std::string_view name_of(Enters enters) {
  switch (enters) {
    case Enters::exact:
      return "exact";
    case Enters::feature:
      return "feature";
    case Enters::record:
      return "record";
  }
  throw std::logic_error("a column of no class");
}

std::string path_in(const Group& group, std::string_view name) {
  return group.path.empty() ? std::string(name) : fmt::format("{}/{}", group.path, name);
}

PlacedDimension find_dimension(const Group& group, std::string_view name) {
  for (const Group* place : {&group, &groups().front()})
    for (const Dimension& d : place->dimensions)
      if (d.name == name) return {&d, path_in(*place, name)};
  throw std::logic_error(fmt::format("{}: no dimension {} in sight", group.path, name));
}

std::string path_of_referred(const Column& column) {
  for (const Group& group : groups())
    for (const Dimension& d : group.dimensions)
      if (d.name == column.refers) return path_in(group, d.name);
  throw std::logic_error(fmt::format("{}: no dimension {}", column.name, column.refers));
}

std::string as_text() {
  std::string text = fmt::format("stemma archive {}\n", version);
  for (const Group& g : groups()) {
    text += fmt::format("\n/{}  ({}) {}\n", g.path, g.encoding_type, g.summary);
    for (const Dimension& d : g.dimensions) text += dimension_line(d);
    for (const Column& c : g.columns) text += column_line(c);
  }
  text += "\nflags\n";
  for (const FlagTable& table : flag_tables()) {
    text += fmt::format("  {}:", table.name);
    for (const auto& [value, meaning] : table.values) text += fmt::format(" {}={}", value, meaning);
    text += "\n";
  }
  return text;
}

std::string as_json() {
  nlohmann::ordered_json out = {{"stemma_archive", version}, {"groups", nlohmann::ordered_json::array()}};
  for (const Group& g : groups()) {
    nlohmann::ordered_json group = {{"path", "/" + g.path},
                                    {"encoding_type", g.encoding_type},
                                    {"summary", g.summary},
                                    {"dimensions", nlohmann::ordered_json::array()},
                                    {"columns", nlohmann::ordered_json::array()}};
    for (const Dimension& d : g.dimensions)
      group["dimensions"].push_back({{"name", d.name}, {"extent", d.extent}, {"long_name", d.long_name}});
    for (const Column& c : g.columns)
      group["columns"].push_back({{"name", c.name},
                                  {"type", h5::name_of(c.type)},
                                  {"dims", c.dims},
                                  {"units", c.units},
                                  {"long_name", c.long_name},
                                  {"hash", name_of(c.enters)},
                                  {"flags", c.flags},
                                  {"index_into", c.refers},
                                  {"may_be_missing", c.sentinel},
                                  {"owner", c.owner},
                                  {"derived", c.derived}});
    out["groups"].push_back(std::move(group));
  }
  return out.dump(1);
}

std::string flag_tables_json() {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const FlagTable& table : flag_tables())
    for (const auto& [value, meaning] : table.values) out[table.name][std::to_string(value)] = meaning;
  return out.dump(1);
}

}  // namespace stemma::layout
