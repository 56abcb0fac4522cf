// Which GGUF files of a directory are one model, and do its parts belong together?
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/formats/container.hpp"
#include "io/formats/model_files.hpp"

namespace stemma {

/// NAME-00002-of-00003.gguf: the second of three parts.
struct GgufPartName {
  std::string stem;  ///< NAME
  std::uint64_t part = 0, parts = 0;
  std::size_t width = 0;  ///< digits of each number
};

/// Nothing unless both numbers have one width and 1 <= part <= parts.
std::optional<GgufPartName> gguf_part_name(std::string_view file_name);

/// The file, or all parts of the set that it is one of. Throws InvalidInput (gguf.split) when parts are
/// absent from `listing`.
ModelFiles gguf_files_of(const std::string& directory, const std::string& file_name,
                         const std::vector<std::string>& listing);

/// The one GGUF model of a directory; side files (mmproj-*, mtp-*, *imatrix*) are none. Nothing when there is
/// none. Throws InvalidInput (several_models: each quantisation is a model of its own; gguf.split).
std::optional<ModelFiles> choose_gguf_files(const std::string& directory,
                                            const std::vector<std::string>& listing);

/// Errors (gguf.split) where files, in the order of their names, contradict each other or their names about
/// which part of what they are. `parts` has what each file says.
std::vector<Finding> contradictions_of_parts(const std::vector<std::string>& names,
                                             const std::vector<std::optional<PartOfSet>>& parts);

}  // namespace stemma
