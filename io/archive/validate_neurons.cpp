// Can the neurons of an archive be those of any model?
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "io/archive/table_reader.hpp"
#include "io/archive/validator_checks.hpp"
#include "io/model/anchor_tokens.hpp"

namespace stemma {
namespace {

const std::string group = "methods/neuron_match/";

/// Numbers of anchors that fit the table, and keys that ascend in each of both parts.
void check_anchors(const TableReader& table, ComplaintList& complaints) {
  const auto anchors = table.read<std::uint32_t>(group + "anchors");
  const auto by_string = table.read<std::uint32_t>(group + "anchors_by_string");
  for (std::size_t m = 0; m < anchors.size(); ++m) {
    if (anchors[m] > most_anchors || by_string[m] > anchors[m]) {
      complaints.add("neurons", group + "anchors",
                     fmt::format("row {}: {} anchors, {} of them by string", m, anchors[m], by_string[m]));
      continue;
    }
    const auto keys = table.read<std::uint64_t>(group + "anchor_key", m, 1);
    const auto split = keys.begin() + by_string[m], end = keys.begin() + anchors[m];
    if (!std::is_sorted(keys.begin(), split) || !std::is_sorted(split, end))
      complaints.add("neurons", group + "anchor_key", fmt::format("row {}: keys do not ascend", m));
  }
}

/// Places that the MLP has, each once.
void check_places(const TableReader& table, ComplaintList& complaints) {
  const auto units = table.read<std::uint32_t>(group + "units");
  const auto start = table.read<std::uint64_t>(group + "row_start");
  const auto count = table.read<std::uint32_t>(group + "row_count");
  for (std::size_t b = 0; b < units.size(); ++b) {
    const auto unit = table.read<std::uint32_t>(group + "unit", start[b], count[b]);
    const std::set<std::uint32_t> distinct(unit.begin(), unit.end());
    if (distinct.size() == unit.size() && (distinct.empty() || *distinct.rbegin() < units[b])) continue;
    complaints.add(
        "neurons", group + "unit",
        fmt::format("block {}: places that an MLP of {} neurons does not have, or one twice", b, units[b]));
  }
}

}  // namespace

void check_neurons(const h5::File& file, ComplaintList& complaints) {
  const TableReader table(file);
  check_anchors(table, complaints);
  check_places(table, complaints);
}

}  // namespace stemma
