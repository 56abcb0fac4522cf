// One communicator for each block, made by its members alone.
#include "pipeline/teams.hpp"

#include <vector>

namespace stemma {

Teams::Teams(const Communicator& world) {
  if (world.size() > 1) check_mpi(MPI_Comm_dup(world.handle(), &world_), "MPI_Comm_dup");
}

Team& Teams::of(int block, std::span<const int> members) {
  Kept& kept = kept_[block];
  if (kept.team) return *kept.team;
  MPI_Group all = MPI_GROUP_NULL, some = MPI_GROUP_NULL;
  check_mpi(MPI_Comm_group(world_, &all), "MPI_Comm_group");
  check_mpi(MPI_Group_incl(all, static_cast<int>(members.size()), members.data(), &some), "MPI_Group_incl");
  // The tag keeps communicators apart that are made at the same time.
  check_mpi(MPI_Comm_create_group(world_, some, block, &kept.handle), "MPI_Comm_create_group");
  check_mpi(MPI_Group_free(&some), "MPI_Group_free");
  check_mpi(MPI_Group_free(&all), "MPI_Group_free");
  kept.team = std::make_unique<Team>(Communicator(kept.handle));
  return *kept.team;
}

void Teams::release() {
  // In the order of their numbers, the same on every rank: nobody waits for somebody who waits for him.
  for (auto& [block, kept] : kept_) {
    kept.team->release();
    check_mpi(MPI_Comm_free(&kept.handle), "MPI_Comm_free");
  }
  kept_.clear();
  if (world_ != MPI_COMM_NULL) check_mpi(MPI_Comm_free(&world_), "MPI_Comm_free");
}

}  // namespace stemma
