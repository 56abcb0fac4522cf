// Which directory of the local Hugging Face cache does org/name@revision mean?
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "io/config/input_path.hpp"

namespace stemma {

/// A model by its name on the hub, taken apart.
struct HubReference {
  std::string repository;         ///< "org/name"; old repositories have no org
  std::string revision = "main";  ///< a branch, a tag, refs/pr/N or a commit
};

/// Of "hf:org/name@rev", "hf:name" and, where `bare` allows it, "org/name" and "org/name@rev". Nothing for
/// texts that no repository may be called: parts of 1 to 96 of [A-Za-z0-9_.-], without "--" and "..", neither
/// beginning nor ending with a dot or a dash.
std::optional<HubReference> hub_reference(std::string_view text, bool bare = false);

/// The snapshot of a reference. The cache is $HF_HUB_CACHE, else $HUGGINGFACE_HUB_CACHE, else $HF_HOME/hub,
/// else $XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub. Reads one small file and looks at one
/// directory; never the network, and never another snapshot than the one that the revision names. Otherwise
/// `problem` says what is missing and how it is fetched.
ExpandedPath hub_snapshot(const HubReference& reference, const Environment& environment);

/// Where a model lies: a path as input_path reads it, "hf:org/name@rev", "org/name@rev" where no path has
/// that name and the cache has the model, or BASE+ADAPTER (merged_location.hpp) of such a base and a path.
ExpandedPath model_location(std::string_view text, const std::string& directory,
                            const Environment& environment);

/// "org--name" for a path inside a cache (.../models--org--name/snapshots/COMMIT), "" for all others.
std::string hub_folder_name(const std::string& path);

}  // namespace stemma
