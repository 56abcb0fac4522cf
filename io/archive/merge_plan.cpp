// Models are compared column by column of the layout, in coordinates of their own.
#include "io/archive/merge_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "io/archive/row_values.hpp"
#include "io/model/finding.hpp"

namespace stemma {
namespace {

struct Holder {
  std::size_t source = 0;
  std::uint64_t row = 0;
};

/// How two models of one id compare: the same, different by something that was asked or given, or different
/// although nothing was.
struct Sameness {
  std::string reason;  ///< why they are two models; "" when nothing speaks for that
  std::string column;  ///< the first exact column that differs all the same
};

/// What a model is here for is what somebody asked, and no result.
bool chosen(const layout::PlacedColumn& column) { return column.path() == "models/use"; }

class Comparer {
 public:
  explicit Comparer(const std::vector<MergeSource>& sources) : sources_(sources) {}

  Sameness compare(const Holder& a, const Holder& b) const {
    if (sources_[a.source].methods_of(a.row) != sources_[b.source].methods_of(b.row))
      return {"parameters of methods", ""};
    if (differs("models/architecture", a, b)) return {"architecture", ""};
    if (!same_files(a, b)) return {"files", ""};
    std::string column;
    for (const layout::RowKind& kind : layout::row_kinds())
      if (layout::belongs_to_models(kind))
        for (const layout::PlacedColumn& c : kind.columns) {
          if (c.column->enters != layout::Enters::exact || !has_content(*c.column) || chosen(c)) continue;
          if (!differs(kind, c, a, b)) continue;
          if (kind.dimension == "failures/failure") return {"failures", ""};
          if (column.empty()) column = c.path();
        }
    return {"", column};
  }

 private:
  bool differs(const layout::RowKind& kind, const layout::PlacedColumn& column, const Holder& a,
               const Holder& b) const {
    return values_of_model(sources_[a.source].rows(), kind, column, a.row) !=
           values_of_model(sources_[b.source].rows(), kind, column, b.row);
  }

  bool differs(const std::string& path, const Holder& a, const Holder& b) const {
    for (const layout::RowKind& kind : layout::row_kinds())
      for (const layout::PlacedColumn& column : kind.columns)
        if (column.path() == path) return differs(kind, column, a, b);
    return false;
  }

  /// Bytes that were hashed tell files apart; names and times tell that a file is the same one, so that other
  /// hashes of it are no other file.
  bool same_files(const Holder& a, const Holder& b) const {
    for (const char* path : {"files/bytes", "files/header_bytes", "files/format", "files/sha256"})
      if (differs(path, a, b)) return false;
    const bool same_place = !differs("files/path", a, b) && !differs("files/mtime_ns", a, b);
    return same_place ||
           (!differs("tensors/content_hash_hi", a, b) && !differs("tensors/content_hash_lo", a, b));
  }

  const std::vector<MergeSource>& sources_;
};

/// Holders of one id that are the same model.
using Class = std::vector<Holder>;

class Planner {
 public:
  Planner(const std::vector<MergeSource>& sources, const std::vector<std::string>& names)
      : sources_(sources), names_(names), comparer_(sources) {}

  MergePlan plan() {
    std::map<std::string, std::vector<Holder>> holders;
    for (std::size_t s = 0; s < sources_.size(); ++s)
      for (std::uint64_t row = 0; row < sources_[s].ids().size(); ++row)
        holders[sources_[s].ids()[row]].push_back({s, row});
    for (const auto& [id, of_id] : holders) add(id, of_id);
    std::ranges::sort(plan_.models, {}, &MergedModel::id);
    for (std::size_t i = 1; i < plan_.models.size(); ++i)
      if (plan_.models[i].id == plan_.models[i - 1].id)
        throw InvalidInput({.rule = "archive.names",
                            .file = sources_[plan_.models[i].source].path().string(),
                            .expected = "ids that can be told apart by the names of their archives",
                            .found = fmt::format("two models that would be called {}", plan_.models[i].id),
                            .hint = "give the archive another name"});
    return std::move(plan_);
  }

 private:
  void add(const std::string& id, const std::vector<Holder>& of_id) {
    std::vector<Class> classes;
    std::string reason;
    for (const Holder& holder : of_id) {
      Class* same = nullptr;
      for (Class& other : classes) {
        const Sameness sameness = comparer_.compare(other.front(), holder);
        if (!sameness.reason.empty()) {
          if (reason.find(sameness.reason) == std::string::npos)
            reason += (reason.empty() ? "" : ", ") + sameness.reason;
          continue;
        }
        if (!sameness.column.empty()) refuse(id, sameness.column, other.front(), holder);
        same = &other;
        break;
      }
      if (same)
        same->push_back(holder);
      else
        classes.push_back({holder});
    }
    if (classes.size() == 1 && of_id.size() > 1) plan_.repeated.push_back(id);
    Renaming renaming{id, reason, {}};
    for (const Class& model : classes) {
      MergedModel merged;
      merged.id = classes.size() == 1 ? id : fmt::format("{}@{}", id, names_[model.front().source]);
      merged.source = model.front().source;
      merged.row = model.front().row;
      for (const Holder& holder : model) merged.holders.emplace_back(holder.source, holder.row);
      renaming.ids.push_back(merged.id);
      plan_.models.push_back(std::move(merged));
    }
    std::ranges::sort(renaming.ids);
    if (classes.size() > 1) plan_.renamings.push_back(std::move(renaming));
  }

  [[noreturn]] void refuse(const std::string& id, const std::string& column, const Holder& a,
                           const Holder& b) const {
    throw InvalidInput(
        {.rule = "archive.not_reproducible",
         .file = sources_[a.source].path().string(),
         .expected = fmt::format("the exact results of {} that {} holds", printable(id),
                                 printable(sources_[b.source].path().string(), 600)),
         .found = fmt::format("others, first in {}", column),
         .hint = "files, methods and parameters are the same, so one of the runs was wrong; run it again"});
  }

  const std::vector<MergeSource>& sources_;
  const std::vector<std::string>& names_;
  Comparer comparer_;
  MergePlan plan_;
};

}  // namespace

MergePlan plan_merge(const std::vector<MergeSource>& sources, const std::vector<std::string>& names) {
  return Planner(sources, names).plan();
}

}  // namespace stemma
