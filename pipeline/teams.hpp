// Which teams has this rank been part of, and what does it keep of them?
#pragma once
#include <map>
#include <memory>
#include <span>

#include "analyzers/distributed/team.hpp"

namespace stemma {

/// Teams are made when they first get an item and kept for the next one: communicators and windows are of
/// limited number, and aligned blocks are few (a rank is part of at most log2 of the slots).
class Teams {
 public:
  /// Collective over the world. Teams are made over a duplicate: Open MPI sends what it needs for that with
  /// the tag that we give, and a mailbox that takes messages of any tag would take it away.
  explicit Teams(const Communicator& world);
  Teams(const Teams&) = delete;
  Teams& operator=(const Teams&) = delete;
  ~Teams() = default;  // no destructor communicates: release

  /// Collective over `members` (ranks of the world, ascending), who all say the same `block`. No other rank
  /// takes part, and teams of disjoint blocks may be made at the same time.
  Team& of(int block, std::span<const int> members);

  /// Collective over the world.
  void release();

 private:
  struct Kept {
    MPI_Comm handle = MPI_COMM_NULL;
    std::unique_ptr<Team> team;
  };
  MPI_Comm world_ = MPI_COMM_NULL;
  std::map<int, Kept> kept_;  ///< by block
};

}  // namespace stemma
