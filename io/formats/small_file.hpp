// What does a small text file beside the weights say, without trusting its size?
#pragma once
#include <cstdint>
#include <string>

namespace stemma {

/// The whole file. Throws InvalidInput (file.*, or limit.file_size when it is larger than `limit`).
std::string read_whole(const std::string& path, std::uint64_t limit);

/// Its first bytes, at most `limit`. Throws InvalidInput (file.*).
std::string read_head(const std::string& path, std::uint64_t limit);

}  // namespace stemma
