// How do the ranks of one node look at the same bytes?
#pragma once
#include <cstddef>
#include <span>

#include "analyzers/distributed/communicator.hpp"

namespace stemma {

/// Memory that all ranks of a node see: written by one, read by the others after both have met (any
/// collective of theirs) and called `meet`'s fences. Pages lie near the rank that touches them first.
class SharedMemory {
 public:
  /// Collective over `node`, whose ranks must share a machine. Throws InvalidInput (memory.shared_too_small)
  /// together on every rank when the file system behind shared memory has less room than that: the first
  /// touch beyond it would kill the process.
  SharedMemory(const Communicator& node, std::size_t bytes);
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory() = default;  // no destructor communicates: release

  /// Collective.
  void release();

  std::span<std::byte> bytes() const { return bytes_; }
  bool contains(const std::byte* address) const {
    return !bytes_.empty() && address >= bytes_.data() && address < bytes_.data() + bytes_.size();
  }
  /// What this rank wrote becomes visible to those it meets afterwards, and what others wrote before they
  /// met.
  void fence() const;

 private:
  MPI_Win window_ = MPI_WIN_NULL;
  std::byte* own_ = nullptr;  ///< where MPI was not started
  std::span<std::byte> bytes_;
};

/// Bytes that shared memory may still take on this machine, and where it lies.
std::size_t shared_memory_left();
const char* shared_memory_place();

}  // namespace stemma
