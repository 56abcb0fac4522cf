// If a file holds no safetensors, what is it, and what should the user do about it?
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "io/model/finding.hpp"

namespace stemma {

/// Whether the first bytes may begin a safetensors file: the length field is below 2^32 and a header may
/// follow.
bool resembles_safetensors(std::string_view head);

/// A finding (format.refused) when the first bytes, 4 KiB at most, are those of a known other kind of file.
std::optional<Finding> foreign_format(std::string_view head, const std::string& file_name);

/// A finding (format.unknown) that shows the first bytes.
Finding unknown_format(std::string_view head, const std::string& file_name);

/// Whether a finding of foreign_format is about a Git LFS pointer.
bool is_lfs_pointer(const Finding& finding);

}  // namespace stemma
