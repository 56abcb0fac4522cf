// Where do the ranks that compute sit, and which of them may form a team?
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace stemma {

/// Ranks that compute in a world of `ranks`: all of them, until a dedicated coordinator pays (32 ranks).
enum class CoordinatorMode : std::uint8_t { automatic, shared, dedicated };
int workers_among(int ranks, CoordinatorMode mode);

/// A team: all ranks of one aligned block of slots.
struct Block {
  int level = 0;  ///< it covers 2^level slots
  int index = 0;  ///< its first slot is index * 2^level
  bool operator==(const Block&) const = default;
};

/// The ranks that compute as numbered slots, node by node. A node has S slots, the next power of two of the
/// most ranks that compute on any node, so that a block of 2^j slots that begins at a multiple of 2^j lies
/// inside one node or consists of whole nodes. Slots without a rank are missing for ever. Aligned blocks are
/// few (fewer than twice the slots), so whatever belongs to a team can be kept for the next time, and two of
/// them overlap only when one contains the other.
///
/// A block may be a team when it lies inside a node and misses no slot, or when it consists of whole nodes
/// that all have the most ranks. Rank 0 takes no part in teams: on a thread beside the coordinator it may
/// not speak to other ranks. It sits in the last slot of its node, where it cuts off the fewest blocks. The
/// first node is the coordinator's and never part of a team of whole nodes.
class MachineLayout {
 public:
  /// One rank that computes alone.
  MachineLayout() : MachineLayout({{0}}, 1) {}
  /// `nodes`: the ranks that compute, node by node, that of rank 0 first; a node may be empty. `ranks`: all
  /// of the world, with a coordinator that does not compute. Throws std::invalid_argument when nobody
  /// computes or a rank occurs twice.
  MachineLayout(const std::vector<std::vector<int>>& nodes, int ranks);
  /// Ranks 0...ranks-1 in order, `ranks_per_node` on each node but perhaps the last.
  static MachineLayout uniform(int ranks, int ranks_per_node, CoordinatorMode mode);
  /// One host name for each rank, in order of rank. Nodes come in order of their first rank.
  static MachineLayout of_hosts(std::span<const std::string> hosts, CoordinatorMode mode);

  int ranks() const { return ranks_; }
  int workers() const { return workers_; }
  int nodes() const { return nodes_; }
  int slots_per_node() const { return slots_per_node_; }
  /// All slots, missing ones included: a power of two.
  int slots() const { return static_cast<int>(rank_.size()); }

  /// Rank in that slot, -1 for a missing one.
  int rank_of(int slot) const { return rank_[static_cast<std::size_t>(slot)]; }
  /// Slot of that rank, -1 for one that does not compute.
  int slot_of(int rank) const;

  /// Blocks have levels 0 (one slot) to top_level() (all slots).
  int top_level() const { return top_level_; }
  /// Ranks of a team at that level; 0 when no block of that level may be a team.
  int width_at(int level) const { return width_[static_cast<std::size_t>(level)]; }
  /// The level at which teams have that width; -1 when none have.
  int level_of(int width) const;
  /// Whether blocks of that level lie inside a node.
  bool on_one_node(int level) const { return level <= node_level_; }
  /// Whether all ranks of the block may work as a team; a single rank always may.
  bool may_team(Block block) const { return teams_[static_cast<std::size_t>(number_of(block))]; }
  /// Ranks of a block, ascending by slot.
  std::vector<int> ranks_in(Block block) const;
  /// 1 to 2 * slots() - 1, each block its own: the block of all slots is 1, the halves of block n are 2n and
  /// 2n + 1.
  int number_of(Block block) const { return (1 << (top_level_ - block.level)) + block.index; }
  Block block_of(int number) const;

 private:
  bool is_team(Block block, const std::vector<bool>& whole_nodes) const;

  std::vector<int> rank_, slot_;  ///< by slot, by rank
  std::vector<int> width_;        ///< by level
  std::vector<bool> teams_;       ///< by number of block
  int ranks_ = 1, workers_ = 1, nodes_ = 1, slots_per_node_ = 1, node_level_ = 0, top_level_ = 0;
};

}  // namespace stemma
