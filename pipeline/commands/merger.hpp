// How do archives that a command line names become one archive?
#pragma once
#include <filesystem>
#include <vector>

#include "io/archive/merge_archives.hpp"
#include "pipeline/commands/merged_pairs.hpp"
#include "pipeline/commands/words.hpp"

namespace stemma {

/// The archives that the words name, each once. Throws UsageError.
std::vector<std::filesystem::path> archives_of(const std::vector<Word>& words);

/// What a merge is made of.
struct MergeParts {
  std::vector<MergeSource> sources;
  MergePlan plan;
  PairsAcross across;
};

/// Archives that were read, judged and compared across; no weight is read.
class Merger {
 public:
  /// Throws what open_sources, plan_merge and compare_across throw.
  explicit Merger(const std::vector<std::filesystem::path>& archives);
  const MergeParts& parts() const { return parts_; }
  /// Throws what write_merged throws.
  MergeOutcome write(const std::filesystem::path& output) const;

 private:
  MergeParts parts_;
};

}  // namespace stemma
