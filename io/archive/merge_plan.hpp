// Which models does a merged archive hold, under which ids, and from which source does each come?
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "io/archive/merge_source.hpp"

namespace stemma {

/// A model of the merged archive. Several sources may hold it; the rows are taken from one of them.
struct MergedModel {
  std::string id;
  std::size_t source = 0;  ///< position among the sources
  std::uint64_t row = 0;   ///< in /models there
  /// All that hold it, the one above first: source, row.
  std::vector<std::pair<std::size_t, std::uint64_t>> holders;
};

/// Models of one id that are not the same model, and what they are called now.
struct Renaming {
  std::string id;
  std::string reason;  ///< "parameters of methods", "files", ...
  std::vector<std::string> ids;
};

struct MergePlan {
  std::vector<MergedModel> models;    ///< in order of id
  std::vector<Renaming> renamings;    ///< in order of id
  std::vector<std::string> repeated;  ///< ids that several sources hold with equal exact results
};

/// Unites the models of all sources. Models of one id are the same when their files, the architecture and
/// the parameters of the methods that looked at them agree and nothing else failed; their exact results must
/// then be equal. Otherwise all models of that id are kept as ID@NAME with the names of their sources.
/// Throws InvalidInput: archive.not_reproducible with both sources when exact results differ, archive.names
/// when no distinct ids can be made.
MergePlan plan_merge(const std::vector<MergeSource>& sources, const std::vector<std::string>& names);

}  // namespace stemma
