// A window of 1 MiB that moves when something beyond it is asked for.
#include "io/formats/gguf_cursor.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/formats/descriptor.hpp"
#include "io/formats/limits.hpp"

namespace stemma {
namespace {

constexpr std::size_t window_bytes = std::size_t{1} << 20;

}  // namespace

std::uint64_t GgufCursor::string_length() {
  const std::uint64_t begin = at_;
  const auto length = number<std::uint64_t>();
  const std::uint64_t most = std::min<std::uint64_t>(remaining(), limits::gguf_string_bytes);
  if (length > most)
    refuse("gguf.string", begin, fmt::format("a string of {} bytes", length), fmt::format("at most {}", most),
           "the file was cut off or is damaged; fetch it again");
  return length;
}

std::string GgufCursor::text(std::uint64_t length) {
  require(length);
  std::string text;
  while (text.size() < length) {
    const auto piece = next(std::min<std::uint64_t>(window_bytes, length - text.size()));
    text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  }
  return text;
}

void GgufCursor::skip(std::uint64_t bytes) {
  require(bytes);
  at_ += bytes;
}

Finding GgufCursor::finding(std::string rule, std::uint64_t offset, std::string found, std::string expected,
                            std::string hint) const {
  return {.rule = std::move(rule),
          .file = file_name_of(file_->path),
          .byte_offset = offset,
          .expected = std::move(expected),
          .found = std::move(found),
          .hint = std::move(hint)};
}

std::span<const std::byte> GgufCursor::next(std::size_t bytes) {
  require(bytes);
  if (at_ < window_begin_ || at_ + bytes > window_begin_ + window_.size()) {
    window_begin_ = at_;
    window_.resize(std::min<std::uint64_t>(window_bytes, remaining()));
    reader_->read(*file_, at_, window_);
  }
  const auto piece = std::span(window_).subspan(at_ - window_begin_, bytes);
  at_ += bytes;
  return piece;
}

void GgufCursor::require(std::uint64_t bytes) const {
  if (bytes <= remaining()) return;
  refuse("gguf.truncated", at_, fmt::format("{} bytes", remaining()), fmt::format("{} more", bytes),
         "the file was cut off; fetch it again");
}

}  // namespace stemma
