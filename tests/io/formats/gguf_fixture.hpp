// What do tests of the GGUF reader need: files built piece by piece, sound or broken in one place?
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "tests/io/formats/raw_bytes.hpp"

namespace stemma::fixtures {

inline std::string gguf_string(std::string_view text) { return raw<std::uint64_t>(text.size()).append(text); }

/// Key and value; `type` is a number of the format.
inline std::string gguf_pair(std::string_view key, std::uint32_t type, std::string_view value) {
  return gguf_string(key) + raw(type) + std::string(value);
}
inline std::string gguf_u32(std::string_view key, std::uint32_t value) {
  return gguf_pair(key, 4, raw(value));
}
inline std::string gguf_text(std::string_view key, std::string_view value) {
  return gguf_pair(key, 8, gguf_string(value));
}

/// An entry of the directory; `ne` in the order of the format, the contiguous dimension first.
inline std::string gguf_entry(std::string_view name, const std::vector<std::int64_t>& ne, std::uint32_t type,
                              std::uint64_t offset) {
  std::string entry = gguf_string(name) + raw(static_cast<std::uint32_t>(ne.size()));
  for (const std::int64_t extent : ne) entry += raw(extent);
  return entry + raw(type) + raw(offset);
}

/// A whole file. What is not set is sound.
struct GgufParts {
  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::vector<std::string> pairs, entries;
  std::string data;
  std::int64_t n_tensors = -2, n_kv = -2;  ///< -2: as many as there are
  std::size_t alignment = 32;

  std::string bytes() const {
    std::string file = magic + raw(version);
    file += raw(n_tensors == -2 ? static_cast<std::int64_t>(entries.size()) : n_tensors);
    file += raw(n_kv == -2 ? static_cast<std::int64_t>(pairs.size()) : n_kv);
    for (const std::string& pair : pairs) file += pair;
    for (const std::string& entry : entries) file += entry;
    if (!entries.empty()) file.resize((file.size() + alignment - 1) / alignment * alignment, '\0');
    return file + data;
  }
};

/// Two F32 tensors, "a" (2, 3) and "b" (4), and the zeros between them.
inline GgufParts two_tensors() {
  GgufParts parts;
  parts.pairs = {gguf_text("general.architecture", "llama")};
  parts.entries = {gguf_entry("a", {3, 2}, 0, 0), gguf_entry("b", {4}, 0, 32)};
  for (int i = 0; i < 6; ++i) parts.data += raw(static_cast<float>(i));
  parts.data.resize(32, '\0');
  for (int i = 0; i < 4; ++i) parts.data += raw(static_cast<float>(10 + i));
  return parts;
}

}  // namespace stemma::fixtures
