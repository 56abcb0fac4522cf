// Which files of a directory are the parts 1..N of one model, by their names alone?
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stemma {

/// How the parts of a format are called: prefix, I-of-N, suffix.
struct ShardSpelling {
  std::string_view prefix, suffix;
};
inline constexpr ShardSpelling safetensors_parts{"model-", ".safetensors"};
inline constexpr ShardSpelling torch_parts{"pytorch_model-", ".bin"};

/// model-00002-of-00004.safetensors
struct ShardName {
  std::uint64_t part = 0;
  std::uint64_t parts = 0;
  std::size_t width = 0;  ///< digits of each number
};

/// Nothing unless the name is that of a part I of N with 1 <= I <= N, both of one width.
std::optional<ShardName> shard_name(std::string_view file_name,
                                    const ShardSpelling& spelling = safetensors_parts);
std::string file_name_of(const ShardName& shard, const ShardSpelling& spelling = safetensors_parts);

/// Parts that share N and width.
struct ShardSet {
  std::uint64_t parts = 0;
  std::size_t width = 0;
  ShardSpelling spelling;
  std::map<std::uint64_t, std::string> present;  ///< by part

  bool complete() const { return present.size() == parts; }
  /// Names of all parts, those that are absent too. Only for sets within limits::shards.
  std::vector<std::string> names() const;
};

/// All sets among the names, smallest first.
std::vector<ShardSet> shard_sets(const std::vector<std::string>& file_names,
                                 const ShardSpelling& spelling = safetensors_parts);

}  // namespace stemma
