// Who owns an open file, and how is a file opened that a stranger may have prepared?
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "io/model/tensor.hpp"

namespace stemma {

/// An open file descriptor, closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();
  int number() const { return number_; }

 private:
  int number_;
};

/// Opens a regular file for reading, without touching its access time where the system lets us.
/// Throws InvalidInput (file.open_failed).
Descriptor open_regular(const std::string& path);

/// Opens the file behind `descriptor` once more, past the page cache (O_DIRECT); nothing when its file system
/// does not offer that.
std::optional<Descriptor> reopen_direct(const Descriptor& descriptor);

/// Do the middle and the end of [offset, offset + bytes) lie in the page cache? False where the file system
/// does not tell.
bool is_cached(const Descriptor& descriptor, std::uint64_t offset, std::uint64_t bytes);

/// The page cache may forget the whole pages of [begin, end); what others changed or mapped stays.
void forget_pages(const Descriptor& descriptor, std::uint64_t begin, std::uint64_t end);

/// Size, time and identity of an open file. Throws InvalidInput (file.open_failed).
SourceFile measure(const Descriptor& descriptor, const std::string& path);

/// "lustre", "gpfs", "nfs", "beegfs", "ceph" or "local". Asks the file system, so once per file is often
/// enough.
std::string filesystem_of(const Descriptor& descriptor);

/// Is there no byte at `offset`? A file may hold more than its size says. Throws InvalidInput
/// (file.read_failed).
bool ends_at(const Descriptor& descriptor, const std::string& path, std::uint64_t offset);

/// Fills `out` from `offset` on. Throws InvalidInput (file.short_read, file.read_failed).
void read_exactly(const Descriptor& descriptor, const std::string& path, std::uint64_t offset,
                  std::span<std::byte> out);

/// Throws InvalidInput (file.read_failed) for the `error` of a read at `offset`.
[[noreturn]] void fail_to_read(const std::string& path, std::uint64_t offset, int error);

/// Throws InvalidInput (file.short_read): of `bytes` at `offset` only `found` are there.
[[noreturn]] void fail_short(const std::string& path, std::uint64_t offset, std::size_t bytes,
                             std::size_t found);

/// Last component of a path: how findings name a file, so that they are the same on every machine.
std::string file_name_of(const std::string& path);

}  // namespace stemma
