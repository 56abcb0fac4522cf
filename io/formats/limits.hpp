// How much of a stranger's file do we look at, at most?
#pragma once
#include <cstddef>
#include <cstdint>

namespace stemma::limits {

inline constexpr std::uint64_t safetensors_header_bytes = 100'000'000;  // of the format
inline constexpr std::uint64_t hub_header_bytes = 25'000'000;           // beyond it hub clients refuse
inline constexpr std::size_t tensors_per_file = 1'048'576;
inline constexpr std::size_t tensors_per_model = 4'194'304;
inline constexpr std::size_t shards = 4'096;

inline constexpr std::size_t tensor_name_bytes = 4'096;
inline constexpr std::size_t tensor_rank = 8;
inline constexpr std::uint64_t dimension = std::uint64_t{1} << 63;  // exclusive
inline constexpr std::uint64_t elements = std::uint64_t{1} << 62;   // exclusive

inline constexpr std::size_t header_depth = 3;
inline constexpr std::size_t index_depth = 8;
inline constexpr std::size_t config_depth = 64;
inline constexpr std::size_t json_keys = 8'388'608;  // of one object
inline constexpr std::size_t header_keys = 2'097'152;
inline constexpr std::size_t json_string_bytes = std::size_t{64} << 20;

inline constexpr std::uint64_t index_bytes = std::uint64_t{256} << 20;
inline constexpr std::uint64_t config_bytes = std::uint64_t{16} << 20;
inline constexpr std::uint64_t vocabulary_bytes = std::uint64_t{256} << 20;
inline constexpr std::uint64_t vocabulary_rows = std::uint64_t{1} << 31;  // exclusive
inline constexpr std::size_t front_matter_bytes = std::size_t{64} << 10;
inline constexpr std::size_t front_matter_depth = 32;
inline constexpr std::size_t claim_bytes = 1'024;

inline constexpr std::uint64_t zip_entries = 1'048'576;
inline constexpr std::size_t zip_name_bytes = 1'024;
inline constexpr std::uint64_t zip_directory_bytes = std::uint64_t{256} << 20;
inline constexpr std::uint64_t pickle_bytes = std::uint64_t{256} << 20;
inline constexpr std::uint64_t pickle_opcodes = std::uint64_t{1} << 26;
inline constexpr std::size_t pickle_nodes = std::size_t{1} << 24;
inline constexpr std::size_t pickle_items = std::size_t{1} << 26;  // of all containers together
inline constexpr std::size_t pickle_stack = std::size_t{1} << 20;
inline constexpr std::size_t pickle_memo = std::size_t{1} << 22;
inline constexpr std::size_t pickle_string_bytes = std::size_t{16} << 20;
inline constexpr std::size_t pickle_line_bytes = 512;
inline constexpr std::size_t pickle_globals = 65'536;  // different ones

inline constexpr std::uint64_t gguf_pairs = 65'536;  // keys with their values
inline constexpr std::uint64_t gguf_key_bytes = 65'535;
inline constexpr std::uint64_t gguf_string_bytes = std::uint64_t{64} << 20;
inline constexpr std::uint64_t gguf_array_elements = std::uint64_t{1} << 26;
inline constexpr std::uint64_t gguf_metadata_bytes = std::uint64_t{1} << 30;
inline constexpr std::uint64_t gguf_tensor_name_bytes = 63;  // of the format
inline constexpr std::uint32_t gguf_rank = 4;                // of the format
inline constexpr std::uint64_t gguf_alignment = 65'536;

inline constexpr std::size_t directory_entries = 100'000;
inline constexpr std::size_t file_name_bytes = 255;
inline constexpr std::size_t magic_bytes = 4'096;

}  // namespace stemma::limits
