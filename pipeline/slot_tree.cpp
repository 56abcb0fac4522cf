// A binary tree in an array: the halves of block n are 2n and 2n + 1.
#include "pipeline/slot_tree.hpp"

#include <algorithm>
#include <bit>

namespace stemma {

SlotTree::SlotTree(const MachineLayout& machine) : slots_(machine.slots()) {
  const auto blocks = 2 * static_cast<std::size_t>(slots_);
  ranks_.assign(blocks, 0);
  idle_.assign(blocks, 0);
  reserved_inside_.assign(blocks, 0);
  may_team_.assign(blocks, false);
  reserved_.assign(blocks, false);
  end_.assign(blocks, 0);
  for (int slot = 0; slot < slots_; ++slot) ranks_[at(slots_ + slot)] = machine.rank_of(slot) >= 0 ? 1 : 0;
  for (int block = slots_ - 1; block > 0; --block)
    ranks_[at(block)] = ranks_[at(2 * block)] + ranks_[at(2 * block + 1)];
  for (int level = 0; level <= machine.top_level(); ++level)
    for (int index = 0; index < slots_ >> level; ++index)
      may_team_[at(machine.number_of({level, index}))] = machine.may_team({level, index});
}

int SlotTree::slots_in(int block) const {
  return slots_ >> (std::bit_width(static_cast<unsigned>(block)) - 1);
}

int SlotTree::first_slot(int block) const { return block * slots_in(block) - slots_; }

void SlotTree::change(int slot, int idle, double end) {
  int block = slots_ + slot;
  idle_[at(block)] += idle;
  end_[at(block)] = end;
  for (block /= 2; block > 0; block /= 2) {
    idle_[at(block)] += idle;
    end_[at(block)] = std::max(end_[at(2 * block)], end_[at(2 * block + 1)]);
  }
}

void SlotTree::change_block(int block, bool idle, double end) {
  const int more = (idle ? ranks_[at(block)] : 0) - idle_[at(block)];
  for (int first = block, many = 1; first < 2 * slots_; first *= 2, many *= 2)
    for (int b = first; b < first + many; ++b) {
      idle_[at(b)] = idle ? ranks_[at(b)] : 0;
      end_[at(b)] = ranks_[at(b)] > 0 ? end : 0;
    }
  for (int b = block / 2; b > 0; b /= 2) {
    idle_[at(b)] += more;
    end_[at(b)] = std::max(end_[at(2 * b)], end_[at(2 * b + 1)]);
  }
}

void SlotTree::set_idle(int slot) { change(slot, idle(slot) ? 0 : 1, 0); }

void SlotTree::set_busy(int slot, double end) { change(slot, idle(slot) ? -1 : 0, end); }

void SlotTree::mark(int block, bool reserved) {
  if (reserved_[at(block)] == reserved) return;
  reserved_[at(block)] = reserved;
  for (int b = block; b > 0; b /= 2) reserved_inside_[at(b)] += reserved ? 1 : -1;
}

int SlotTree::reservation_over(int block) const {
  for (int b = block; b > 0; b /= 2)
    if (reserved_[at(b)]) return b;
  return 0;
}

}  // namespace stemma
