// Which file should hold which tensor, according to an index that may lie?
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stemma {

struct ShardIndex {
  struct Entry {
    std::string tensor;
    std::uint32_t file = 0;  ///< index into files
  };
  std::string file_name;           ///< of the index itself
  std::vector<std::string> files;  ///< sorted, each a safe name inside the index's directory
  std::vector<Entry> entries;      ///< sorted by tensor
  std::string total_size;          ///< as written, "" when absent
};

/// Why a file name from an index must not be opened, nothing when it may.
std::optional<std::string> danger_of(std::string_view file_name);

/// Throws InvalidInput (json.*, index.malformed, path.unsafe_name, limit.shards).
ShardIndex parse_shard_index(std::string_view json, const std::string& file_name);

}  // namespace stemma
