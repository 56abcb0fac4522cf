// Which aligned blocks of slots are idle, which are reserved, and when does a busy one become free?
#pragma once
#include <cstdint>
#include <vector>

#include "pipeline/machine_layout.hpp"

namespace stemma {

/// The state of all blocks of a machine, kept up to date from the slots to the root: a change of one slot
/// costs O(log slots), and every question about a block is answered without looking at its slots. Blocks are
/// named by their numbers (MachineLayout::number_of). Slots begin as busy: nobody has come yet.
class SlotTree {
 public:
  explicit SlotTree(const MachineLayout& machine);

  int block_of(int slot, int level) const { return (slots_ + slot) >> level; }
  int first_slot(int block) const;
  int slots_in(int block) const;

  /// The block may be a team, and every rank of it is idle.
  bool ready(int block) const { return may_team_[at(block)] && idle_[at(block)] == ranks_[at(block)]; }
  bool has_rank(int slot) const { return ranks_[at(slots_ + slot)] > 0; }
  bool idle(int slot) const { return idle_[at(slots_ + slot)] > 0; }
  /// Latest predicted end of its busy slots; 0 when none has an end.
  double end(int block) const { return end_[at(block)]; }
  bool may_team(int block) const { return may_team_[at(block)]; }

  void set_idle(int slot);
  void set_busy(int slot, double end);
  /// All ranks of a block at once, in O(its slots).
  void set_block_idle(int block) { change_block(block, true, 0); }
  void set_block_busy(int block, double end) { change_block(block, false, end); }

  bool reserved(int block) const { return reserved_[at(block)]; }
  void reserve(int block) { mark(block, true); }
  void unreserve(int block) { mark(block, false); }
  /// The reserved block that contains this one, itself included; 0 for none.
  int reservation_over(int block) const;
  /// Whether a reserved block contains this one or lies inside it.
  bool touches_reservation(int block) const {
    return reserved_inside_[at(block)] > 0 || reservation_over(block) > 0;
  }

 private:
  static std::size_t at(int block) { return static_cast<std::size_t>(block); }
  void change(int slot, int idle, double end);
  void change_block(int block, bool idle, double end);
  void mark(int block, bool reserved);

  int slots_;
  std::vector<int> ranks_, idle_, reserved_inside_;  ///< by block
  std::vector<bool> may_team_, reserved_;
  std::vector<double> end_;
};

}  // namespace stemma
