// How is one piece of a file brought into memory in whole pages, past the page cache or through it?
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "io/formats/descriptor.hpp"

namespace stemma {

/// What O_DIRECT asks of offsets, lengths and memory, with every disk and file system in use.
inline constexpr std::size_t page_bytes = 4096;

/// The whole pages around a piece: `bytes` from `begin` on, of which the first `head` are not wanted.
struct PageWindow {
  std::uint64_t begin = 0;
  std::size_t head = 0;
  std::size_t bytes = 0;
};
PageWindow window_around(std::uint64_t offset, std::size_t bytes);

/// Memory that begins on a page and is not touched before it is filled.
class PageBuffer {
 public:
  /// Makes room for any piece of `bytes`, wherever it begins; what was inside is lost. Throws std::bad_alloc.
  void make_room(std::size_t bytes);
  std::span<std::byte> first(std::size_t bytes) { return std::span(memory_.get(), size_).first(bytes); }

 private:
  struct Free {
    void operator()(std::byte* memory) const;
  };
  std::unique_ptr<std::byte[], Free> memory_;
  std::size_t size_ = 0;
};

/// A file, open once or twice. `direct` was opened past the page cache and may be null.
struct Channels {
  const std::string& path;
  const Descriptor& buffered;
  const Descriptor* direct = nullptr;
};

struct Fetched {
  std::span<const std::byte> piece;
  std::uint64_t requested = 0;  ///< bytes asked of the file system that the file holds
  bool direct_refused = false;  ///< EINVAL: the piece came through the page cache
};

/// Reads `bytes` from `offset` on into `buffer`, which has room for them. Small pieces through the page cache
/// are read as they lie; everything else in whole pages, with what is before and behind it. Throws
/// InvalidInput (file.short_read, file.read_failed), with the offset and length of the piece.
Fetched fetch(const Channels& channels, std::uint64_t offset, std::size_t bytes, PageBuffer& buffer);

}  // namespace stemma
