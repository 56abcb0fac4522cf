// Lists are looked at here, and their values where a point is read.
#include "io/config/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "io/config/key_advice.hpp"
#include "io/config/yaml_section.hpp"

namespace stemma {
namespace {

constexpr std::string_view over = "sweep.over";

/// What to say about a key that is none, or that has no single value.
std::string why_no_axis(const std::string& path) {
  std::vector<std::string> candidates;
  for (const Key& key : key_table()) {
    if (may_vary(key)) candidates.push_back(key.path);
    if (key.path != path) continue;
    if (!key.fixed.empty()) return fmt::format("{} may not vary: {}", path, key.fixed);
    return fmt::format("{} is no single value. Vary keys below it", path);
  }
  if (std::string advice = advice_for(path); !advice.empty()) return advice;
  const auto close = nearest(path, candidates);
  return fmt::format("{} is not a known key{}", shown(path),
                     close ? fmt::format(". Did you mean {}?", *close) : "");
}

std::optional<Axis> read_axis(const YamlKey& name, const YamlNode& list, Complaints& complaints) {
  const auto complain = [&](const Place& at, const std::string& message) {
    complaints.add(at, fmt::format("{}.{}", over, name.text), message);
    return std::nullopt;
  };
  const auto key = std::ranges::find(key_table(), name.text, &Key::path);
  if (key == key_table().end() || !may_vary(*key))
    return complain(name.at, fmt::format("{}: {}", over, why_no_axis(name.text)));
  if (list.kind != YamlNode::Kind::list)
    return complain(list.at, fmt::format("{}: {} is {}; it must be a list of values, such as [1, 2]", over,
                                         name.text, name_of(list.kind)));
  if (list.values.empty())
    return complain(list.at, fmt::format("{}: the list of {} is empty, so there would be no point. Give it "
                                         "values, or remove the key",
                                         over, name.text));
  return Axis{&*key, name.at, list.values};
}

/// Two points that are equal would be the same run twice.
void refuse_repetitions(const Sweep& sweep, Complaints& complaints) {
  const auto complain = [&](const YamlNode& value, const Axis& axis, std::string_view with) {
    complaints.add(value.at, std::string(over),
                   fmt::format("{}: {} = {} stands here again{}, and the same run would be made twice", over,
                               axis.key->path, shown(written(value)), with));
  };
  if (sweep.mode == SweepMode::grid) {
    for (const Axis& axis : sweep.axes) {
      std::set<std::string> seen;
      for (const YamlNode& value : axis.values)
        if (!seen.insert(written(value)).second) complain(value, axis, "");
    }
    return;
  }
  std::set<std::vector<std::string>> seen;
  for (std::size_t point = 0; point < sweep.points(); ++point) {
    std::vector<std::string> values;
    for (const Axis& axis : sweep.axes) values.push_back(written(axis.values[point]));
    if (!seen.insert(values).second)
      complain(sweep.axes[0].values[point], sweep.axes[0], " with the same values of all keys");
  }
}

void require_equal_lengths(const std::vector<Axis>& axes, Complaints& complaints) {
  const auto counted = [](const Axis& axis) {
    return fmt::format("{} has {} value{}", axis.key->path, axis.values.size(),
                       axis.values.size() == 1 ? "" : "s");
  };
  for (const Axis& axis : axes) {
    if (axis.values.size() == axes[0].values.size()) continue;
    complaints.add(axis.at, std::string(over),
                   fmt::format("{}: {} and {}, but zip takes one of each at every point. Give them equally "
                               "many, or write mode: grid",
                               over, counted(axis), counted(axes[0])));
  }
}

}  // namespace

std::string written(const YamlNode& value) {
  if (value.kind == YamlNode::Kind::scalar) return value.text;
  if (value.kind == YamlNode::Kind::null) return "";
  std::vector<std::string> items;
  for (std::size_t i = 0; i < value.values.size(); ++i)
    items.push_back((i < value.keys.size() ? value.keys[i].text + ": " : "") + written(value.values[i]));
  return fmt::format("[{}]", fmt::join(items, ", "));
}

std::size_t Sweep::points() const {
  if (axes.empty()) return 1;
  if (mode == SweepMode::zip) return axes[0].values.size();
  std::size_t product = 1;
  for (const Axis& axis : axes)
    product = std::min(product * axis.values.size(), 1000 * most_points);  // no product runs over
  return product;
}

std::vector<std::size_t> Sweep::values_at(std::size_t point) const {
  std::vector<std::size_t> values(axes.size(), point);
  if (mode == SweepMode::zip) return values;
  for (std::size_t i = axes.size(); i-- > 0; point /= axes[i].values.size())
    values[i] = point % axes[i].values.size();
  return values;
}

Sweep read_sweep(const YamlNode& root, Complaints& complaints) {
  Sweep sweep;
  const YamlNode* node = root.find("sweep");
  if (!node) return sweep;
  const std::size_t before = complaints.problems().size();
  Section section(*node, "sweep", complaints);
  if (complaints.problems().size() > before) return sweep;
  section.require("over", "Write over: {key: [values]}, or remove sweep");
  if (const auto keys = section.section("over")) {
    if (keys->keys().empty())
      section.complain("over", fmt::format("{} names no key. Write key: [values], or remove sweep", over));
    for (const YamlKey& name : keys->keys())
      if (auto axis = read_axis(name, *node->find("over")->find(name.text), complaints))
        sweep.axes.push_back(std::move(*axis));
  }
  if (const auto mode =
          section.choice("mode", std::ranges::find(key_table(), "sweep.mode", &Key::path)->choices))
    sweep.mode = *mode == "zip" ? SweepMode::zip : SweepMode::grid;
  section.close(advice_for);
  if (sweep.axes.empty() || complaints.problems().size() > before) return sweep;
  if (sweep.mode == SweepMode::zip) require_equal_lengths(sweep.axes, complaints);
  if (sweep.points() > most_points)
    section.complain(
        "over", fmt::format("{} makes more than {} points. Make several sweeps of it", over, most_points));
  if (complaints.problems().size() == before) refuse_repetitions(sweep, complaints);
  return sweep;
}

}  // namespace stemma
