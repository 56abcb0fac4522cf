// Which process am I, among how many, and who started us?
#pragma once
#include <optional>
#include <string>

#include "analyzers/distributed/communicator.hpp"

namespace stemma {

/// What the launcher's environment says before MPI is started. Serial commands read only this.
struct Launch {
  bool launched = false;  ///< mpirun or srun started this process
  int rank = 0;
  int tasks = 1;             ///< processes of the step, as the launcher promised them
  std::string promise = {};  ///< the variable that says so: "PMI_SIZE"
  int cores = 1;             ///< cores this process may run on
};
Launch launch_from_environment();

/// Several processes were started, but each of them is alone (a launcher without PMI support). They would all
/// write the same files.
class LonelyCopies : public std::runtime_error {
 public:
  explicit LonelyCopies(const Launch& launch);
};

/// The world for the life of the program: MPI is started when a launcher started this process, and not
/// otherwise, so that one process runs without mpirun and on nodes where MPI is forbidden. Waiting ranks are
/// asked to yield their core, and MPI errors to return.
class World {
 public:
  /// Collective. Throws LonelyCopies.
  explicit World(const Launch& launch);
  /// Collective unless an exception is in flight: then MPI is left to the launcher.
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  const Communicator& all() const { return all_; }
  /// Name and version of the MPI library, "none" when it was not started.
  std::string library() const;

 private:
  bool started_ = false;
  MPI_Comm duplicate_ = MPI_COMM_NULL;
  Communicator all_;
};

}  // namespace stemma
