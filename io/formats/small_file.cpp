// Size first, then memory, then bytes.
#include "io/formats/small_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "io/formats/descriptor.hpp"
#include "io/model/finding.hpp"

namespace stemma {
namespace {

std::string read_prefix(const Descriptor& descriptor, const std::string& path, std::uint64_t bytes) {
  std::string text(bytes, '\0');
  read_exactly(descriptor, path, 0, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace

std::string read_whole(const std::string& path, std::uint64_t limit) {
  const Descriptor descriptor = open_regular(path);
  const std::uint64_t bytes = measure(descriptor, path).bytes;
  if (bytes > limit) {
    throw InvalidInput({.rule = "limit.file_size",
                        .file = file_name_of(path),
                        .expected = fmt::format("at most {} bytes", limit),
                        .found = fmt::format("{} bytes", bytes)});
  }
  return read_prefix(descriptor, path, bytes);
}

std::string read_head(const std::string& path, std::uint64_t limit) {
  const Descriptor descriptor = open_regular(path);
  const std::uint64_t bytes = measure(descriptor, path).bytes;
  if (bytes == 0 && !ends_at(descriptor, path, 0)) {
    throw InvalidInput({.rule = "file.no_size",
                        .file = file_name_of(path),
                        .expected = "a file that knows its size",
                        .found = "one that says it is empty and is not",
                        .hint = "the kernel makes such files, below /proc for instance: copy it to a disk"});
  }
  return read_prefix(descriptor, path, std::min(bytes, limit));
}

}  // namespace stemma
