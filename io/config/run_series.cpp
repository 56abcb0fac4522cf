// Text, environment, arguments and sweep are put together to one tree for each point.
#include "io/config/run_series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "io/config/config_tree.hpp"
#include "io/config/model_entries.hpp"

namespace stemma {
namespace {

/// The environment stands between the file and the arguments: it is turned into overrides of its own.
std::vector<Override> overrides_of(const Environment& environment) {
  std::vector<Override> changes;
  if (const auto directories = environment("STEMMA_ARCHITECTURES"); directories && !directories->empty()) {
    std::vector<std::string> list;
    for (std::size_t begin = 0; begin <= directories->size();) {
      const std::size_t end = std::min(directories->find(':', begin), directories->size());
      if (end > begin) list.push_back(quoted_text(directories->substr(begin, end - begin)));
      begin = end + 1;
    }
    changes.push_back({fmt::format("architectures=[{}]", fmt::join(list, ", ")), "STEMMA_ARCHITECTURES"});
  }
  if (const auto level = environment("STEMMA_LOG"); level && !level->empty()) {
    changes.push_back({"runtime.log_level=" + quoted_text(*level), "STEMMA_LOG"});
  }
  if (const auto store = environment("STEMMA_STORE"); store && !store->empty()) {
    changes.push_back({"runtime.store=" + quoted_text(*store), "STEMMA_STORE"});
  }
  return changes;
}

/// "analyzers.content" of "~analyzers.content" and "analyzers.content=".
std::string_view key_of(std::string_view change) { return change.substr(change.starts_with('~') ? 1 : 0); }

/// What stands at a dotted key; nullptr for nothing.
const YamlNode* node_at(const YamlNode& root, std::string_view path) {
  const YamlNode* node = &root;
  while (node && !path.empty()) {
    const std::string_view step = path.substr(0, path.find('.'));
    path.remove_prefix(std::min(path.size(), step.size() + 1));
    node = node->find(step);
  }
  return node;
}

/// Empties a value, so that copies of the tree are small; its key stays.
void empty(YamlNode& mapping, std::string_view name) {
  for (std::size_t i = 0; i < mapping.keys.size(); ++i)
    if (mapping.keys[i].text == name) mapping.values[i] = {};
}

}  // namespace

RunSeries::RunSeries(std::string_view text, std::string file, const std::vector<Override>& overrides,
                     std::vector<std::string>& notes, const Environment& environment)
    : file_(std::move(file)), environment_(environment) {
  Complaints complaints(file_);
  auto root = parse_yaml(text, complaints);
  if (!root) throw ConfigProblems(complaints.problems());
  tree_ = std::move(*root);
  for (const Override& change : overrides_of(environment)) apply_override(tree_, change, complaints);
  for (const Override& change : overrides) {
    write_out_questions(tree_, key_of(change.text), {0, 0, change.place});
    apply_override(tree_, change, complaints);
  }
  if (const YamlNode* models = tree_.find("models"))
    models_ = read_model_entries(*models, {directory_of(file_), environment_}, complaints);
  empty(tree_, "models");
  Complaints of_sweep(file_);
  sweep_ = read_sweep(tree_, of_sweep);
  if (!of_sweep.problems().empty()) sweep_.axes.clear();  // it has no points, but the rest can be read
  complaints.merge(of_sweep);
  empty(tree_, "sweep");
  note_lost_arguments(complaints);
  for (std::size_t point = 0; point < size(); ++point) {
    Complaints of_point(file_);
    (void)read(point, of_point);
    complaints.merge(of_point);
  }
  complaints.raise_if_any();
  notes.insert(notes.end(), complaints.notes().begin(), complaints.notes().end());
}

RunConfig RunSeries::read(std::size_t index, Complaints& complaints) const {
  YamlNode tree = tree_;
  const std::vector<std::size_t> values = sweep_.values_at(index);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Axis& axis = sweep_.axes[i];
    write_out_questions(tree, axis.key->path, axis.at);
    set_value(tree, axis.key->path, axis.values[values[i]], axis.at, complaints);
  }
  return config_of(tree, file_, environment_, models_, complaints);
}

RunSeries::Point RunSeries::at(std::size_t index) const {
  Complaints none(file_);
  Point point{read(index, none), {}, {}};
  for (const Axis& axis : sweep_.axes) {
    const KeyValue value = axis.key->value(point.config);
    point.values.push_back(bare(*axis.key, value));
    point.changes.push_back(fmt::format("{}={}", axis.key->path, printed(*axis.key, value)));
  }
  return point;
}

/// Whoever writes seed=5 behind a sweep over seeds expects it to count.
void RunSeries::note_lost_arguments(Complaints& complaints) const {
  for (const Axis& axis : sweep_.axes)
    if (const YamlNode* node = node_at(tree_, axis.key->path); node && !node->at.argument.empty())
      complaints.note(
          node->at, fmt::format("{} varies in this sweep, so this value counts at no point", axis.key->path));
}

RunConfig parse_run_config(std::string_view text, const std::string& file,
                           const std::vector<Override>& overrides, std::vector<std::string>& notes,
                           const Environment& environment) {
  const RunSeries series(text, file, overrides, notes, environment);
  if (series.is_sweep()) {
    Complaints complaints(file);
    complaints.add(series.sweep().axes[0].at, "sweep",
                   "a sweep is several runs, and one is wanted. Remove it");
    complaints.raise_if_any();
  }
  return series.at(0).config;
}

RunConfig read_run_config(const std::string& file, const std::vector<Override>& overrides,
                          std::vector<std::string>& notes, const Environment& environment) {
  Complaints complaints(file);
  const auto text = read_text_file(file, YamlLimits{}.bytes, complaints);
  complaints.raise_if_any();
  return parse_run_config(*text, file, overrides, notes, environment);
}

}  // namespace stemma
