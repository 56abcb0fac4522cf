// Which idle slots get which items, now?
#pragma once
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "pipeline/machine_layout.hpp"
#include "pipeline/slot_tree.hpp"

namespace stemma {

/// An item as the scheduler sees it.
struct Task {
  double seconds = 0;      ///< predicted, at its width
  int level = 0;           ///< 0: one rank; else teams of MachineLayout::width_at(level) ranks
  bool feasible = true;    ///< others are never handed out
  std::uint16_t kind = 0;  ///< tasks of one kind share a correction of their predictions
};

/// What some slots are to do next.
struct Assignment {
  int block = 0;                     ///< MachineLayout::number_of; a block of one slot for a batch
  std::vector<std::uint32_t> items;  ///< one for a team, 1 to 256 for a single rank
  double seconds = 0;                ///< predicted
};

/// The rules by which items reach ranks. A pure state: it knows no clock, no messages and no ranks, only
/// slots and the time that it is told; so the plan simulates a run with the very rules that the coordinator
/// follows.
///
/// Wide items go first, widest before narrower, longest before shorter, to aligned blocks whose slots are all
/// idle. For each one that finds none, the block that frees earliest is reserved. Narrow items go longest
/// first, in batches that shrink as the work runs out (a quarter of a rank's fair share of what is left,
/// between 0.1 and 10 seconds, 1 to 256 items); slots of a reserved block get only what should end before the
/// rest of the block is free. When no wide item waits, and so much work is left that
/// the others will not run out of it, a slot gets its next batch while it works, which hides the way of the
/// messages.
///
/// Every step costs O(log slots) for each slot that changes; only finding blocks to reserve looks at all
/// blocks of one size, once for each wide item at most.
class Scheduler {
 public:
  /// Throws std::logic_error for a feasible task at a level that has no teams.
  Scheduler(const MachineLayout& machine, std::span<const Task> tasks);

  /// The slot has come, or has ended what it was assigned first.
  void release(int slot);
  /// The same for all ranks of a block that have come or have ended together.
  void release_block(int block);
  /// Everything that the rules hand out at this time, in the order in which it is to be sent.
  std::vector<Assignment> assign(double now);

  /// From now on only what should end before this moment is handed out, predictions taken with `caution`: the
  /// longest that does, as always. What can end in time no more, not even alone, is left.
  void end_by(double moment) { horizon_ = moment; }
  static constexpr double caution = 1.3;
  /// Nothing more will be handed out.
  void hand_out_no_more();
  bool handed_out_all() const { return handed_out_ == total_; }
  std::size_t handed_out() const { return handed_out_; }
  /// Whether the slot works on nothing.
  bool idle(int slot) const { return tree_.idle(slot); }

  /// An item took so long: later predictions of its kind follow, f <- 0.8 f + 0.2 actual / predicted, within
  /// a factor of four.
  void learn(std::uint32_t item, double actual_seconds);
  double correction(std::uint16_t kind) const { return correction_[kind]; }
  /// Predicted seconds of an item, corrected.
  double seconds_of(std::uint32_t item) const {
    return tasks_[item].seconds * correction_[tasks_[item].kind];
  }

 private:
  struct Level {
    std::vector<std::uint32_t> items;  ///< longest first
    std::size_t next = 0;              ///< into items
    std::vector<int> reserved;         ///< blocks
    bool exhausted = false;            ///< no block is left to reserve, but perhaps in these
    std::vector<int> opened;           ///< blocks whose reservation was dropped since
    std::size_t waiting() const { return items.size() - next; }
  };

  void place_wide(std::span<const int> slots, double now, std::vector<Assignment>& out);
  void start_team(int level, int block, double now, std::vector<Assignment>& out);
  bool may_start(int block, double seconds, double now) const;
  void reserve_for(int level);
  std::vector<int> blocks_to_reserve(int level);
  void drop_reservation(int level, int block);
  void place_narrow(std::span<const int> slots, double now, std::vector<Assignment>& out);
  bool late(double seconds, double now) const { return now + caution * seconds > horizon_; }
  void leave_what_is_late(double now);
  bool give_batch(int slot, double now, double window, std::vector<Assignment>& out);
  bool others_stay_busy(int slot, double now);
  double window_of(int slot, double now) const;
  double narrow_seconds_left() const;
  std::size_t alive(std::size_t position);

  std::span<const Task> tasks_;
  SlotTree tree_;
  double workers_;
  std::vector<Level> levels_;
  std::vector<std::uint32_t> narrow_;     ///< longest first
  std::vector<std::uint32_t> next_left_;  ///< by position in narrow_: one not yet handed out is here or later
  std::vector<double> left_by_kind_;      ///< uncorrected seconds of narrow items not yet handed out
  std::vector<double> correction_;        ///< by kind
  std::vector<std::uint8_t> outstanding_;  ///< assignments, by slot
  std::vector<double> end_;                ///< predicted, by slot
  std::vector<int> touched_;               ///< slots that may get something now
  double horizon_ = std::numeric_limits<double>::infinity();
  std::size_t shortest_ = 0;  ///< into narrow_: none that is left comes later
  std::size_t waiting_wide_ = 0, narrow_left_ = 0, handed_out_ = 0, total_ = 0;
};

}  // namespace stemma
