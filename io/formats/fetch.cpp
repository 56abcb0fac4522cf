// Whole pages cost a few bytes at both ends; a read past the page cache takes nothing else.
#include "io/formats/fetch.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>

namespace stemma {
namespace {

/// Below it the pages at both ends would be more than 3 % of what is asked for.
constexpr std::size_t least_in_pages = std::size_t{256} << 10;

}  // namespace

PageWindow window_around(std::uint64_t offset, std::size_t bytes) {
  const std::size_t head = offset % page_bytes;
  return {offset - head, head, (head + bytes + page_bytes - 1) / page_bytes * page_bytes};
}

void PageBuffer::Free::operator()(std::byte* memory) const {
  ::operator delete[](memory, std::align_val_t(page_bytes));
}

void PageBuffer::make_room(std::size_t bytes) {
  const std::size_t needed = (bytes / page_bytes + 2) * page_bytes;
  if (needed <= size_) return;
  memory_.reset();
  size_ = 0;
  memory_.reset(static_cast<std::byte*>(::operator new[](needed, std::align_val_t(page_bytes))));
  size_ = needed;
}

Fetched fetch(const Channels& channels, std::uint64_t offset, std::size_t bytes, PageBuffer& buffer) {
  const Descriptor* direct = channels.direct;
  PageWindow window{offset, 0, bytes};
  if (direct != nullptr || bytes >= least_in_pages) window = window_around(offset, bytes);
  const std::span<std::byte> out = buffer.first(window.bytes);
  const std::size_t wanted = window.head + bytes;
  Fetched fetched;
  std::size_t done = 0;
  while (done < wanted) {
    const Descriptor& from = direct != nullptr ? *direct : channels.buffered;
    const ssize_t n =
        pread(from.number(), out.data() + done, out.size() - done, static_cast<off_t>(window.begin + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EINVAL && direct != nullptr) {
      fetched.direct_refused = done == 0;
      direct = nullptr;
      continue;
    }
    if (n < 0) fail_to_read(channels.path, window.begin + done, errno);
    if (n == 0) {
      if (direct == nullptr) fail_short(channels.path, offset, bytes, done - std::min(done, window.head));
      direct = nullptr;  // the other channel has the last word about the end
      continue;
    }
    done += static_cast<std::size_t>(n);
    if (done % page_bytes != 0)
      direct = nullptr;  // the end of the file, or a cut page: no direct read continues it
  }
  fetched.piece = out.subspan(window.head, bytes);
  fetched.requested = done;
  return fetched;
}

}  // namespace stemma
