// Which SHA-256 did the hub publish for a file that was fetched from it?
#pragma once
#include <filesystem>
#include <string>

namespace stemma {

/// 64 hex digits, "" when nobody says. In a cache a large file is a link to blobs/SHA256; beside a plain copy
/// lies .cache/huggingface/download/FILE.metadata, whose second line is the same. Small files have other
/// names there, which are no SHA-256. This is a claim of whoever fetched the file: compute before trusting
/// it.
std::string published_sha256(const std::filesystem::path& file);

}  // namespace stemma
