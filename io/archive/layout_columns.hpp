// How is one entry of the layout's table spelled shortly? For layout.cpp and layout_results.cpp only.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/archive/layout.hpp"

namespace stemma::layout {

using enum h5::Type;
using Dims = std::vector<std::string>;
inline constexpr Enters exact = Enters::exact;
inline constexpr Enters feature = Enters::feature;
inline constexpr Enters record = Enters::record;

inline Column text(std::string name, Dims dims, Enters enters, std::string long_name) {
  return {.name = std::move(name),
          .type = str,
          .dims = std::move(dims),
          .enters = enters,
          .long_name = std::move(long_name),
          .units = ""};
}

inline Column number(std::string name, h5::Type type, Dims dims, Enters enters, std::string long_name,
                     std::string units = "1") {
  return {.name = std::move(name),
          .type = type,
          .dims = std::move(dims),
          .enters = enters,
          .long_name = std::move(long_name),
          .units = std::move(units)};
}

inline Column flag(std::string name, std::string table, Dims dims, Enters enters, std::string long_name) {
  Column c = number(std::move(name), u1, std::move(dims), enters, std::move(long_name));
  c.flags = std::move(table);
  return c;
}

inline Column index(std::string name, std::string refers, Dims dims, Enters enters, std::string long_name) {
  Column c = number(std::move(name), u4, std::move(dims), enters, std::move(long_name));
  c.refers = std::move(refers);
  return c;
}

inline Column optional(Column column) {
  column.sentinel = true;
  return column;
}

/// The row of a model or a pair that this row belongs to.
inline Column owner(Column column) {
  column.owner = true;
  return column;
}

inline Column derived(Column column) {
  column.derived = true;
  return column;
}

inline Column rounding(Column column) {
  column.rounding = true;
  return column;
}

/// NAME_start goes with NAME_count.
inline Column start(std::string name, std::string dim, std::string starts, std::string long_name,
                    Enters enters = exact) {
  Column c = number(std::move(name), u8, {std::move(dim)}, enters, std::move(long_name));
  c.starts = std::move(starts);
  c.length = c.name.substr(0, c.name.size() - std::string_view("start").size()) + "count";
  return c;
}

inline Column pieces(std::string name, std::string dim, std::string counts, std::string long_name,
                     Enters enters = exact) {
  Column c = number(std::move(name), u4, {std::move(dim)}, enters, std::move(long_name));
  c.counts = std::move(counts);
  return c;
}

inline Dimension labels(std::string name, std::string long_name, std::span<const char* const> names) {
  return {.name = std::move(name),
          .scale = Scale::labels,
          .extent = names.size(),
          .long_name = std::move(long_name),
          .labels = {names.begin(), names.end()}};
}

inline Dimension bare(std::string name, std::string long_name) {
  return {.name = std::move(name), .scale = Scale::bare, .long_name = std::move(long_name)};
}

inline Dimension rows(std::string name, std::string long_name) {
  return {.name = std::move(name), .long_name = std::move(long_name)};
}

/// What is concluded from the measurements, and the records of the run: the second half of the table.
std::vector<Group> result_groups();

}  // namespace stemma::layout
