// One window of MPI per piece of memory; its backing file is measured before it is trusted.
#include "analyzers/distributed/shared_memory.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <atomic>

#include "analyzers/distributed/unison.hpp"
#include "io/model/finding.hpp"

namespace stemma {
namespace {

constexpr std::size_t reserve = std::size_t{16} << 20U;  // left to MPI's own files

void require_room(std::size_t bytes) {
  const std::size_t left = shared_memory_left();
  if (bytes + reserve <= left) return;
  throw InvalidInput(
      {.rule = "memory.shared_too_small",
       .file = shared_memory_place(),
       .expected = fmt::format("room for {} bytes that a team shares", bytes),
       .found = fmt::format("{} bytes left", left),
       .hint = "make it larger (a container: --shm-size), or let one rank have more memory, so that "
               "no team is needed"});
}

}  // namespace

const char* shared_memory_place() { return "/dev/shm"; }

std::size_t shared_memory_left() {
  struct statvfs system = {};
  if (statvfs(shared_memory_place(), &system) != 0)
    return SIZE_MAX;  // Open MPI then takes its session directory
  return static_cast<std::size_t>(system.f_bavail) * system.f_frsize;
}

SharedMemory::SharedMemory(const Communicator& node, std::size_t bytes) {
  if (node.handle() == MPI_COMM_NULL) {
    own_ = new std::byte[bytes];
    bytes_ = {own_, bytes};
    return;
  }
  in_unison(node, "sharing memory", [&] {
    if (node.leads()) require_room(bytes);
  });
  // One rank asks for all: what the others ask for would follow in memory, but nothing says how it is
  // aligned.
  std::byte* base = nullptr;
  const MPI_Aint mine = node.leads() ? static_cast<MPI_Aint>(bytes) : 0;
  check_mpi(
      MPI_Win_allocate_shared(mine, 1, MPI_INFO_NULL, node.handle(), static_cast<void*>(&base), &window_),
      "MPI_Win_allocate_shared");
  MPI_Aint size = 0;
  int unit = 0;
  check_mpi(MPI_Win_shared_query(window_, 0, &size, &unit, static_cast<void*>(&base)),
            "MPI_Win_shared_query");
  check_mpi(MPI_Win_lock_all(MPI_MODE_NOCHECK, window_), "MPI_Win_lock_all");
  bytes_ = {base, bytes};
}

void SharedMemory::release() {
  if (window_ != MPI_WIN_NULL) {
    check_mpi(MPI_Win_unlock_all(window_), "MPI_Win_unlock_all");
    check_mpi(MPI_Win_free(&window_), "MPI_Win_free");
  }
  delete[] own_;
  own_ = nullptr;
  bytes_ = {};
}

void SharedMemory::fence() const {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (window_ != MPI_WIN_NULL) check_mpi(MPI_Win_sync(window_), "MPI_Win_sync");
}

}  // namespace stemma
