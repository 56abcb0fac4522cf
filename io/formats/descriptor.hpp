// Who owns an open file, and how is a file opened that a stranger may have prepared?
#pragma once
#include <cstddef>
#include <cstdint>
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

/// Last component of a path: how findings name a file, so that they are the same on every machine.
std::string file_name_of(const std::string& path);

}  // namespace stemma
