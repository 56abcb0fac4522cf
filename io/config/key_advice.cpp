// Keys of later versions and of other tools, and what to say about them.
#include "io/config/key_advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "io/config/complaints.hpp"
#include "io/config/key_table.hpp"

namespace stemma {
namespace {

/// Described by the manual and not read yet. A key below one of these counts too.
constexpr std::array later_keys = {"analyzers.content.roles",
                                   "analyzers.histogram.roles",
                                   "analyzers.intrinsic_fingerprint.roles",
                                   "compare.top",
                                   "compare.dense",
                                   "compare.tests.spectrum",
                                   "trace.tests.neuron_match",
                                   "runtime.retry_quarantined",
                                   "runtime.trust_published_hashes"};

struct Synonym {
  std::string_view word;
  std::string_view sentence;
};
constexpr std::string_view launcher = "Ranks and threads come from mpirun or srun";
constexpr std::array synonyms = {Synonym{"methods", "Did you mean analyzers?"},
                                 Synonym{"checkpoints", "Did you mean models?"},
                                 Synonym{"inputs", "Did you mean models?"},
                                 Synonym{"out", "Did you mean output?"},
                                 Synonym{"output_dir", "Did you mean output?"},
                                 Synonym{"outdir", "Did you mean output?"},
                                 Synonym{"title", "Did you mean name or description?"},
                                 Synonym{"memory", "Did you mean runtime.memory_per_rank?"},
                                 Synonym{"threshold", "Did you mean verdicts.fdr?"},
                                 Synonym{"verbose", "Did you mean runtime.log_level?"},
                                 Synonym{"workers", launcher},
                                 Synonym{"ranks", launcher},
                                 Synonym{"processes", launcher},
                                 Synonym{"threads", launcher},
                                 Synonym{"hosts", launcher},
                                 Synonym{"nprocs", launcher}};

}  // namespace

std::string advice_for(const std::string& path) {
  if (std::find(later_keys.begin(), later_keys.end(), path) != later_keys.end()) {
    return fmt::format("{} is not supported by this version. Remove it", path);
  }
  const std::string_view word = last_step(path);
  for (const Synonym& synonym : synonyms) {
    if (word == synonym.word) return fmt::format("{} is not a known key. {}", shown(path), synonym.sentence);
  }
  std::vector<std::string> homes;
  for (const Key& key : key_table()) {
    if (last_step(key.path) == word) homes.push_back(key.path);
  }
  if (homes.empty()) {
    const auto* const later =
        std::ranges::find_if(later_keys, [&](std::string_view key) { return last_step(key) == word; });
    if (later == later_keys.end()) return "";
    return fmt::format(
        "{} is not a known key here. It belongs to {}, which this version does not support. Remove it",
        shown(word), *later);
  }
  return fmt::format("{} is not a known key here. It belongs to {}", shown(word), fmt::join(homes, " or "));
}

const std::vector<std::string>& model_kinds() {
  static const std::vector<std::string> kinds = {"path", "glob", "sheet", "adapter"};
  return kinds;
}
const std::vector<std::string>& model_traits() {
  static const std::vector<std::string> traits = {"id",  "label",    "base",    "relation",     "family",
                                                  "use", "revision", "variant", "architecture", "on"};
  return traits;
}
const std::vector<std::string>& use_names() {
  static const std::vector<std::string> names = {"subject", "reference", "background"};
  return names;
}

bool is_later_model_key(std::string_view key) { return key == "merged"; }

}  // namespace stemma
