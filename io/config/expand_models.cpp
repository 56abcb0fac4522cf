// How do globs, sheets and paths become one list of models, each with an id of its own?
#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "io/config/hub_cache.hpp"
#include "io/config/key_advice.hpp"
#include "io/config/merged_location.hpp"
#include "io/config/model_entries.hpp"
#include "io/config/models.hpp"
#include "io/config/presence.hpp"
#include "io/config/sheet.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_models = 1'000'000;

/// Directories that could not be read while a glob was expanded: glob(3) reports them to a plain function.
thread_local std::vector<std::string> unreadable;
int remember_unreadable(const char* path, int) {
  unreadable.emplace_back(path);
  return 0;
}

std::vector<std::string> matches_of(const std::string& pattern) {
  unreadable.clear();
  glob_t found{};
  const std::unique_ptr<glob_t, void (*)(glob_t*)> guard(&found, globfree);
  glob(pattern.c_str(), GLOB_NOSORT | GLOB_NOESCAPE, remember_unreadable, &found);
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < found.gl_pathc; ++i) paths.emplace_back(found.gl_pathv[i]);
  for (std::string& path : paths) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// Only a path that leads nowhere has a nearest name.
std::string advice_on(const std::string& path, const std::string& why) {
  return why == "does not exist" ? advice_on_absent(path) : "";
}

/// The last path component (of a snapshot in a hub cache: the model's name there) with every character that
/// no id has replaced by a dash.
std::string id_from(const std::string& path) {
  std::string id = hub_folder_name(path);
  if (const auto merged = base_and_adapter(path))
    id = id_from(merged->base) + std::string(1, merge_sign) + id_from(merged->adapter);
  if (id.empty())
    id = fs::path(path.ends_with('/') ? path.substr(0, path.size() - 1) : path).filename().string();
  id = id.substr(0, 120);
  for (char& c : id) {
    if (!is_model_id(std::string("x") + c)) c = '-';
  }
  const std::size_t begin = std::min(id.find_first_not_of("-._+"), id.size());
  id.erase(0, begin);
  return id.empty() ? "model" : id;
}

class Expansion {
 public:
  Expansion(std::vector<std::string>& notes, const Environment& environment)
      : notes_(notes), environment_(environment) {}

  void add(const ModelListing& entry) {
    ModelSource source{entry.id,       entry.label,        entry.location, entry.revision,
                       entry.variant,  entry.architecture, entry.family,   entry.base,
                       entry.relation, entry.use,          entry.place,    {}};
    switch (entry.kind) {
      case ModelListing::Kind::path:
        add_path(std::move(source));
        return;
      case ModelListing::Kind::glob:
        add_glob(source);
        return;
      case ModelListing::Kind::sheet:
        add_sheet(source);
        return;
      case ModelListing::Kind::adapter:
        source.base = {entry.on};
        adapters_.push_back(std::move(source));
        return;
    }
  }

  /// `others`: archives may hold bases as well.
  std::vector<ModelSource> finish(bool others) {
    for (ModelSource& adapter : adapters_) add_merged(std::move(adapter));
    if (models_.empty() && problems_.empty())
      complain("", "models names nothing. Add a path, a glob or a sheet");
    name_them();
    check_bases(others);
    note_equal_paths();
    if (!problems_.empty()) throw ConfigProblems(problems_);
    return std::move(models_);
  }

 private:
  void complain(const std::string& place, std::string message) {
    Problem problem;
    problem.place = place;
    problem.message = std::move(message);
    problems_.push_back(std::move(problem));
  }

  void add_path(ModelSource source) {
    if (const std::string why = why_absent_model(source.path); !why.empty()) {
      complain(source.place,
               fmt::format("the model {} {}{}", shown(source.path), why, advice_on(source.path, why)));
    } else if (models_.size() < most_models) {
      models_.push_back(std::move(source));
    } else if (models_.size() == most_models && !full_) {
      full_ = true;
      complain(source.place, fmt::format("more than {} models; that is the limit", most_models));
    }
  }

  /// An adapter becomes the model that it makes of its base, which may be listed behind it.
  void add_merged(ModelSource adapter) {
    const std::string on = adapter.base.front();
    const auto named = [&](const ModelSource& model) {
      return (model.id.empty() ? id_from(model.path) : model.id) == on;
    };
    const auto base = std::ranges::find_if(models_, named);
    if (base == models_.end()) {
      complain(adapter.place, fmt::format("the base {} of the adapter {} is not among the models. Add it, or "
                                          "correct the id",
                                          shown(on), shown(adapter.path)));
      return;
    }
    if (adapter.id.empty()) adapter.id = fmt::format("{}+{}", on, id_from(adapter.path)).substr(0, 128);
    if (adapter.relation.empty()) adapter.relation = "adapter";
    if (const std::string why = why_absent(adapter.path); !why.empty()) return add_path(std::move(adapter));
    adapter.path = base->path + std::string(1, merge_sign) + adapter.path;
    add_path(std::move(adapter));
  }

  void add_glob(const ModelSource& pattern) {
    const auto paths = matches_of(pattern.path);
    for (const std::string& directory : unreadable) {
      notes_.push_back(fmt::format("{}: {} could not be read for the glob", pattern.place, shown(directory)));
    }
    if (paths.empty()) {
      complain(pattern.place,
               fmt::format("models names nothing: the glob {} matches no {}", shown(pattern.path),
                           pattern.path.ends_with('/') ? "directory" : "file or directory"));
    }
    for (const std::string& path : paths) {
      ModelSource source = pattern;
      source.path = path;
      add_path(std::move(source));
    }
  }

  void add_sheet(const ModelSource& defaults) {
    if (const std::string why = why_absent(defaults.path); !why.empty()) {
      complain(defaults.place,
               fmt::format("the sheet {} {}{}", shown(defaults.path), why, advice_on(defaults.path, why)));
      return;
    }
    Complaints complaints(short_name(defaults.path));
    const auto rows = read_sheet(defaults.path, complaints);
    for (const SheetRow& row : rows) add_row(row, defaults, complaints);
    if (rows.empty() && complaints.problems().empty())
      complaints.add({}, "", "the sheet has a header and no rows. Write one model into each line");
    problems_.insert(problems_.end(), complaints.problems().begin(), complaints.problems().end());
    notes_.insert(notes_.end(), complaints.notes().begin(), complaints.notes().end());
  }

  void add_row(const SheetRow& row, const ModelSource& defaults, Complaints& complaints) {
    const Place at{row.line, 0, {}};
    ModelSource source = defaults;
    source.place = printed(at, complaints.file());
    source.further = row.further;
    const auto cell = [&](const char* column, std::string& target) {
      if (const auto found = row.known.find(column); found != row.known.end()) target = found->second;
    };
    cell("id", source.id);
    cell("label", source.label);
    cell("relation", source.relation);
    cell("family", source.family);
    cell("revision", source.revision);
    cell("variant", source.variant);
    cell("architecture", source.architecture);
    std::string location, base, use, adapter;
    cell("path", location);
    cell("base", base);
    cell("use", use);
    cell("adapter_on", adapter);
    const std::size_t before = complaints.problems().size();
    const auto check_id = [&](const char* column, const std::string& id) {
      if (!id.empty() && !is_model_id(id)) {
        complaints.add(at, column, fmt::format("{} {} is not an id ({})", column, shown(id), model_id_rule));
      }
    };
    check_id("id", source.id);
    if (!base.empty()) source.base = split_ids(base);
    for (const std::string& parent : source.base) check_id("base", parent);
    if (!use.empty()) {
      const auto found = std::find(use_names().begin(), use_names().end(), use);
      if (found == use_names().end()) {
        complaints.add(at, "use",
                       fmt::format("use = {}: write one of {}", shown(use), fmt::join(use_names(), ", ")));
      } else {
        source.use = static_cast<ModelUse>(found - use_names().begin());
      }
    }
    check_id("adapter_on", adapter);
    if (location.empty()) {
      complaints.add(at, "path",
                     fmt::format("this row of {} has no path. Cells are separated by tabs",
                                 row.cells == 1 ? "1 cell" : fmt::format("{} cells", row.cells)));
    } else {
      const ExpandedPath path = model_location(location, directory_of(defaults.path), environment_);
      if (!path.problem.empty()) complaints.add(at, "path", path.problem);
      source.path = path.path;
    }
    if (complaints.problems().size() != before) return;
    if (adapter.empty()) return add_path(std::move(source));
    source.base = {adapter};
    adapters_.push_back(std::move(source));
  }

  /// Sheets are absolute by now; messages name them from the working directory where that is shorter.
  static std::string short_name(const std::string& path) {
    std::error_code error;
    const std::string relative = fs::proximate(path, error).string();
    return !error && relative.size() < path.size() ? relative : path;
  }

  void name_them() {
    std::unordered_map<std::string, std::string> place_of;
    for (const ModelSource& model : models_) {
      if (model.id.empty()) continue;
      const auto [first, fresh] = place_of.emplace(model.id, model.place);
      if (!fresh) {
        complain(model.place, fmt::format("id {} is used by {} and {}. Give one of them another id", model.id,
                                          first->second, model.place));
      }
    }
    for (ModelSource& model : models_) {
      if (!model.id.empty()) continue;
      const std::string wanted = id_from(model.path);
      model.id = wanted;
      for (int n = 2; !place_of.emplace(model.id, model.place).second; ++n)
        model.id = fmt::format("{}-{}", wanted, n);
      if (model.id != wanted) {
        notes_.push_back(fmt::format("{}: {} is named {}, because {} already names {}", model.place,
                                     shown(model.path), model.id, place_of[wanted], wanted));
      }
    }
  }

  void check_bases(bool others) {
    std::unordered_set<std::string> ids;
    for (const ModelSource& model : models_) ids.insert(model.id);
    for (const ModelSource& model : models_) {
      for (const std::string& base : model.base) {
        if (base == model.id) {
          complain(model.place, fmt::format("{} declares itself as its base. Correct base", model.id));
        } else if (!ids.contains(base)) {
          notes_.push_back(
              fmt::format("{}: base {} is not among the models; the claim stays untestable{}. "
                          "Add it, or correct the id",
                          model.place, base, others ? " unless an archive of compare.against holds it" : ""));
        }
      }
    }
  }

  void note_equal_paths() {
    std::unordered_map<std::string, const ModelSource*> first_at;
    for (const ModelSource& model : models_) {
      std::error_code error;
      const std::string real = fs::weakly_canonical(model.path, error).string() + '\0' + model.variant;
      const auto [first, fresh] = first_at.emplace(real, &model);
      if (!fresh) {
        notes_.push_back(fmt::format("{}: {} and {} are the same files, {}", model.place, first->second->id,
                                     model.id, shown(model.path)));
      }
    }
  }

  std::vector<std::string>& notes_;
  const Environment& environment_;
  std::vector<ModelSource> models_;
  std::vector<ModelSource> adapters_;  ///< whose bases may still come
  std::vector<Problem> problems_;
  bool full_ = false;
};

}  // namespace

std::vector<ModelSource> expand_models(const RunConfig& config, std::vector<std::string>& notes,
                                       const Environment& environment) {
  Expansion expansion(notes, environment);
  for (const ModelListing& entry : config.models) expansion.add(entry);
  return expansion.finish(!config.compare.against.empty());
}

}  // namespace stemma
