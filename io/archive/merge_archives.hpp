// How do several archives become one?
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/archive/merge_plan.hpp"
#include "io/archive/unfinished_archive.hpp"

namespace stemma {

/// Pairs of merged models, by index, that were compared for the merged archive; sorted by (a, b).
struct NewPairs {
  std::vector<Pair> pairs;
  std::vector<BackgroundScores> backgrounds;
};

struct MergeOutcome {
  ArchiveHashes hashes;
  std::uint64_t pairs = 0;           ///< in the merged archive
  std::uint64_t repeated_pairs = 0;  ///< several sources had compared them; the fullest row was taken
};

/// The archives, judged, in an order that depends on what is in them alone. Throws like MergeSource.
std::vector<MergeSource> open_sources(const std::vector<std::filesystem::path>& paths);

/// Writes `output` through a temporary file beside it. Every row of the planned models travels, pairs and
/// evidence between them as well, and what the sources say of their runs. `root` says who merges; /config is
/// that of the sources where they agree, else empty. Throws StorageError, InvalidInput.
MergeOutcome write_merged(const std::filesystem::path& output, std::string_view suffix,
                          const std::vector<MergeSource>& sources, const MergePlan& plan,
                          const NewPairs& new_pairs, RootRecord root);

}  // namespace stemma
