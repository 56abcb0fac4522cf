// The steps of a merge, in order; what each means is known to io/archive and merged_pairs.
#include "pipeline/commands/merger.hpp"

#include <fmt/format.h>

#include "io/archive/writer_name.hpp"
#include "pipeline/commands/command.hpp"
#include "pipeline/commands/target.hpp"
#include "pipeline/machine.hpp"
#include "pipeline/version.hpp"

namespace stemma {

namespace fs = std::filesystem;

std::vector<fs::path> archives_of(const std::vector<Word>& words) {
  std::vector<fs::path> paths;
  for (const Word& word : words) {
    const fs::path path = archive_at(word.text);
    for (const fs::path& other : paths)
      if (fs::equivalent(path, other))
        throw UsageError(fmt::format("{} is named twice", printable(path.string())));
    paths.push_back(path);
  }
  return paths;
}

Merger::Merger(const std::vector<fs::path>& archives) {
  parts_.sources = open_sources(archives);
  parts_.plan = plan_merge(parts_.sources, names_of(parts_.sources));
  parts_.across = compare_across(parts_.sources, parts_.plan);
}

MergeOutcome Merger::write(const fs::path& output) const {
  RootRecord root;
  root.software_version = version_text;
  root.software_commit = commit_text;
  root.machine = host_name();
  root.run_uuid = new_uuid();
  return write_merged(output, writer_name(), parts_.sources, parts_.plan, parts_.across.compared, root);
}

}  // namespace stemma
