// Which ranks work on one item together, and what do they keep from one item to the next?
#pragma once
#include <map>
#include <memory>
#include <span>

#include "analyzers/distributed/communicator.hpp"
#include "analyzers/distributed/process_grid.hpp"
#include "analyzers/distributed/shared_memory.hpp"

namespace stemma {

/// Ranks that enter every collective together, in the same order. What is expensive to make is made once: the
/// grid with its BLACS context, the communicator of each node, and memory that a node shares. A function that
/// takes a Team is Collective: all its ranks call it.
class Team {
 public:
  /// How ranks find out with whom they share memory. Tests cut one machine into several "nodes".
  enum class Nodes : std::uint8_t { as_they_are, each_rank_alone };

  /// Collective over `ranks`, which must outlive the team.
  explicit Team(const Communicator& ranks, Nodes nodes = Nodes::as_they_are);
  Team(const Communicator& ranks, GridShape shape, Nodes nodes = Nodes::as_they_are);
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team() = default;  // no destructor communicates: release

  /// Collective: gives grid, communicators and memory back.
  void release();

  const Communicator& ranks() const { return ranks_; }
  const ProcessGrid& grid() const { return grid_; }
  /// The ranks of this team on this rank's node, in order of rank.
  const Communicator& node() const { return node_; }
  /// How many nodes the team spans, and which of them this one is.
  int nodes() const { return nodes_; }
  int node_number() const { return node_number_; }

  /// Collective. Memory of each node that all its ranks see, at least that large; the same one for the same
  /// `use` until it has to grow. Throws as SharedMemory does, on every rank of the team.
  enum class Use : std::uint8_t { reading, matrix };
  SharedMemory& shared(Use use, std::size_t bytes);

  /// Collective. The bytes of node 0, on all nodes.
  void spread_over_nodes(std::span<std::byte> bytes) const;

  /// Collective. Element by element, over all ranks.
  void sum(std::span<double> values) const;
  double largest(double value) const;

 private:
  Communicator ranks_;
  ProcessGrid grid_;
  MPI_Comm node_handle_ = MPI_COMM_NULL, leaders_handle_ = MPI_COMM_NULL;
  Communicator node_, leaders_;  ///< of leaders_, only the first rank of each node is a member
  int nodes_ = 1, node_number_ = 0;
  std::map<Use, std::unique_ptr<SharedMemory>> memory_;
};

}  // namespace stemma
