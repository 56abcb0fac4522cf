// How do ranks talk: a thin, checked layer over an MPI communicator.
#pragma once
#include <mpi.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace stemma {

/// An MPI call returned an error. This is a broken invariant of the job, not of an item: main aborts with it.
class MpiFailure : public std::runtime_error {
 public:
  MpiFailure(int code, const std::string& operation);
};

/// Throws MpiFailure unless `code` is MPI_SUCCESS.
void check_mpi(int code, const char* operation);

/// A group of ranks. The default one is this process alone and needs no MPI at all; others wrap a
/// communicator that they do not own. Functions marked Collective must be called by every rank of the group.
class Communicator {
 public:
  Communicator() = default;
  explicit Communicator(MPI_Comm comm);

  int rank() const { return rank_; }
  int size() const { return size_; }
  bool leads() const { return rank_ == 0; }
  MPI_Comm handle() const { return comm_; }

  /// Collective. The smallest value of any rank, on every rank.
  int all_reduce_min(int value) const;
  /// Collective. The sum over ranks, on every rank.
  double all_reduce_sum(double value) const;
  /// Collective. The bytes of `root` on every rank, in pieces that fit MPI's 32-bit counts.
  void broadcast(std::vector<std::byte>& bytes, int root) const;
  /// Collective. One text per rank, in order of rank, on rank 0; empty elsewhere.
  std::vector<std::string> gather(const std::string& text) const;

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace stemma
