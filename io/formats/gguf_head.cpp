// Magic, version, two counts: 24 bytes that rule out most of what is no such file.
#include "io/formats/gguf_head.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/formats/limits.hpp"

namespace stemma {
namespace {

constexpr std::uint64_t least_pair = 14, least_entry = 25;  // bytes: one-letter key, one-letter name

void require_version(const GgufCursor& cursor, std::uint32_t version) {
  if (version == 2 || version == 3) return;
  std::string hint = "the file is damaged, or newer than this version";
  if (version == 1) hint = "version 1 is obsolete: convert the model again with a converter of today";
  if (version != 0 && (version & 0xFFFFU) == 0)
    hint = "a file for big-endian machines: convert the model for a little-endian one";
  cursor.refuse("gguf.version", 4, fmt::format("version {}", version), "2 or 3", std::move(hint));
}

std::uint64_t read_number_of(GgufCursor& cursor, std::string_view what, std::uint64_t most) {
  const std::uint64_t at = cursor.at();
  const auto count = cursor.number<std::int64_t>();
  if (count < 0 || static_cast<std::uint64_t>(count) > most)
    cursor.refuse("gguf.counts", at, fmt::format("{} {}", count, what), fmt::format("0 to {}", most));
  return static_cast<std::uint64_t>(count);
}

}  // namespace

bool resembles_gguf(std::string_view head) { return head.starts_with("GGUF"); }

GgufHead read_gguf_head(GgufCursor& cursor) {
  const std::string magic = cursor.text(std::min<std::uint64_t>(4, cursor.remaining()));
  if (!resembles_gguf(magic))
    cursor.refuse("gguf.magic", 0, printable(magic), "GGUF",
                  magic == "FUGG" ? "the bytes of the file are swapped: fetch or convert it again"
                                  : "the file is damaged, or of another format than its name says");
  require_version(cursor, cursor.number<std::uint32_t>());
  GgufHead head;
  head.tensors = read_number_of(cursor, "tensors", limits::tensors_per_file);
  head.pairs = read_number_of(cursor, "keys", limits::gguf_pairs);
  const auto require_room = [&](std::uint64_t count, std::uint64_t each, std::string_view what) {
    if (count > cursor.remaining() / each)
      cursor.refuse("gguf.counts", 8, fmt::format("{} {}", count, what),
                    fmt::format("at most {} in what is left of the file", cursor.remaining() / each),
                    "the file was cut off; fetch it again");
  };
  require_room(head.tensors, least_entry, "tensors");
  require_room(head.pairs, least_pair, "keys");
  return head;
}

}  // namespace stemma
