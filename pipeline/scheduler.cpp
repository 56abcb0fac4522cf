// Wide before narrow, long before short, and nothing that would make a team wait.
#include "pipeline/scheduler.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "pipeline/clock.hpp"

namespace stemma {
namespace {

constexpr double shortest_batch = 0.1, longest_batch = 10;  // seconds
constexpr std::size_t largest_batch = 256;                  // items
constexpr double shares_left = 4;  // a batch is at most this part of a rank's fair share of what is left
constexpr double memory_of_factor = 0.8, furthest_factor = 4;

}  // namespace

Scheduler::Scheduler(const MachineLayout& machine, std::span<const Task> tasks)
    : tasks_(tasks),
      tree_(machine),
      workers_(machine.workers()),
      levels_(static_cast<std::size_t>(machine.top_level()) + 1),
      outstanding_(static_cast<std::size_t>(machine.slots()), 0),
      end_(static_cast<std::size_t>(machine.slots()), 0) {
  for (std::uint32_t i = 0; i < tasks.size(); ++i) {
    const Task& task = tasks[i];
    if (!task.feasible) continue;
    ++total_;
    if (task.kind >= correction_.size()) correction_.resize(task.kind + 1U, 1);
    if (task.level == 0) {
      narrow_.push_back(i);
      if (task.kind >= left_by_kind_.size()) left_by_kind_.resize(task.kind + 1U, 0);
      left_by_kind_[task.kind] += task.seconds;
      continue;
    }
    if (task.level < 0 || task.level > machine.top_level() || machine.width_at(task.level) == 0)
      throw std::logic_error("an item is to be done by a team that this machine does not have");
    levels_[static_cast<std::size_t>(task.level)].items.push_back(i);
    ++waiting_wide_;
  }
  const auto longer = [&](std::uint32_t a, std::uint32_t b) { return tasks[a].seconds > tasks[b].seconds; };
  std::stable_sort(narrow_.begin(), narrow_.end(), longer);
  for (Level& level : levels_) std::stable_sort(level.items.begin(), level.items.end(), longer);
  narrow_left_ = narrow_.size();
  next_left_.resize(narrow_.size() + 1);
  std::iota(next_left_.begin(), next_left_.end(), 0U);
  shortest_ = narrow_.empty() ? 0 : narrow_.size() - 1;
}

void Scheduler::release(int slot) {
  std::uint8_t& outstanding = outstanding_[static_cast<std::size_t>(slot)];
  if (outstanding > 0) --outstanding;
  if (outstanding == 0) tree_.set_idle(slot);
  touched_.push_back(slot);
}

void Scheduler::release_block(int block) {
  const int first = tree_.first_slot(block);
  bool all_idle = true;
  for (int slot = first; slot < first + tree_.slots_in(block); ++slot) {
    std::uint8_t& outstanding = outstanding_[static_cast<std::size_t>(slot)];
    if (outstanding > 0) --outstanding;
    all_idle = all_idle && outstanding == 0;
    touched_.push_back(slot);
  }
  if (all_idle) return tree_.set_block_idle(block);
  for (int slot = first; slot < first + tree_.slots_in(block); ++slot)
    if (outstanding_[static_cast<std::size_t>(slot)] == 0 && tree_.has_rank(slot)) tree_.set_idle(slot);
}

std::vector<Assignment> Scheduler::assign(double now) {
  std::vector<Assignment> out;
  if (horizon_ < forever) leave_what_is_late(now);
  // A reservation that is dropped on the way sets slots free, which are looked at in the next turn.
  while (!touched_.empty()) {
    const std::vector<int> slots = std::exchange(touched_, {});
    if (waiting_wide_ > 0) {
      place_wide(slots, now, out);
      for (int level = static_cast<int>(levels_.size()) - 1; level > 0; --level) reserve_for(level);
    }
    place_narrow(slots, now, out);
  }
  return out;
}

void Scheduler::hand_out_no_more() {
  for (Level& level : levels_) level.next = level.items.size();
  waiting_wide_ = narrow_left_ = 0;
  total_ = handed_out_;
  touched_.clear();
}

void Scheduler::leave_what_is_late(double now) {
  for (int level = static_cast<int>(levels_.size()) - 1; level > 0; --level) {
    Level& wide = levels_[static_cast<std::size_t>(level)];
    for (; wide.waiting() > 0 && late(seconds_of(wide.items[wide.next]), now); ++wide.next) {
      --waiting_wide_;
      --total_;
    }
    while (wide.reserved.size() > wide.waiting()) drop_reservation(level, wide.reserved.back());
  }
  if (narrow_left_ == 0) return;
  while (next_left_[shortest_] != shortest_) --shortest_;
  if (!late(seconds_of(narrow_[shortest_]), now)) return;
  total_ -= narrow_left_;
  narrow_left_ = 0;
  std::fill(left_by_kind_.begin(), left_by_kind_.end(), 0.0);
}

void Scheduler::learn(std::uint32_t item, double actual_seconds) {
  const Task& task = tasks_[item];
  if (!(task.seconds > 0) || !(actual_seconds >= 0)) return;
  double& factor = correction_[task.kind];
  factor = std::clamp(memory_of_factor * factor + (1 - memory_of_factor) * actual_seconds / task.seconds,
                      1 / furthest_factor, furthest_factor);
}

void Scheduler::place_wide(std::span<const int> slots, double now, std::vector<Assignment>& out) {
  for (int level = static_cast<int>(levels_.size()) - 1; level > 0; --level) {
    const Level& waiting = levels_[static_cast<std::size_t>(level)];
    for (const int slot : slots) {
      if (waiting.waiting() == 0) break;
      const int block = tree_.block_of(slot, level);
      if (tree_.ready(block) && may_start(block, seconds_of(waiting.items[waiting.next]), now))
        start_team(level, block, now, out);
    }
  }
}

bool Scheduler::may_start(int block, double seconds, double now) const {
  const int reservation = tree_.reservation_over(block);
  return reservation == 0 || reservation == block || now + seconds <= tree_.end(reservation);
}

void Scheduler::start_team(int level, int block, double now, std::vector<Assignment>& out) {
  Level& from = levels_[static_cast<std::size_t>(level)];
  const std::uint32_t item = from.items[from.next++];
  const double seconds = seconds_of(item);
  --waiting_wide_;
  ++handed_out_;
  const int first = tree_.first_slot(block);
  for (int slot = first; slot < first + tree_.slots_in(block); ++slot) {
    if (!tree_.has_rank(slot)) continue;
    outstanding_[static_cast<std::size_t>(slot)] = 1;
    end_[static_cast<std::size_t>(slot)] = now + seconds;
  }
  tree_.set_block_busy(block, now + seconds);
  out.push_back({block, {item}, seconds});
  // As many blocks stay reserved as items wait: this one while it is needed again, else the one that would
  // be free last.
  while (from.reserved.size() > from.waiting()) {
    const auto last = std::max_element(from.reserved.begin(), from.reserved.end(), [&](int a, int b) {
      return std::pair(a == block, tree_.end(a)) < std::pair(b == block, tree_.end(b));
    });
    drop_reservation(level, *last);
  }
}

std::vector<int> Scheduler::blocks_to_reserve(int level) {
  Level& wanted = levels_[static_cast<std::size_t>(level)];
  std::vector<int> blocks;
  const auto consider = [&](int first, int last) {
    for (int block = first; block < last; ++block)
      if (tree_.may_team(block) && !tree_.touches_reservation(block)) blocks.push_back(block);
  };
  const int all = tree_.block_of(0, level);
  if (!wanted.exhausted) consider(all, 2 * all);
  for (const int opened : std::exchange(wanted.opened, {})) {
    if (!wanted.exhausted) continue;
    const int size = tree_.slots_in(opened) >> level, first = tree_.block_of(tree_.first_slot(opened), level);
    consider(first, first + std::max(size, 1));
  }
  std::sort(blocks.begin(), blocks.end());
  blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
  return blocks;
}

void Scheduler::reserve_for(int level) {
  Level& wanted = levels_[static_cast<std::size_t>(level)];
  if (wanted.reserved.size() >= wanted.waiting()) return;
  if (wanted.exhausted && wanted.opened.empty()) return;
  const std::size_t need = wanted.waiting() - wanted.reserved.size();
  std::vector<int> blocks = blocks_to_reserve(level);
  const std::size_t some = std::min(need, blocks.size());
  wanted.exhausted = some == blocks.size();
  std::partial_sort(blocks.begin(), blocks.begin() + static_cast<std::ptrdiff_t>(some), blocks.end(),
                    [&](int a, int b) { return std::pair(tree_.end(a), a) < std::pair(tree_.end(b), b); });
  blocks.resize(some);
  for (const int block : blocks) {
    tree_.reserve(block);
    wanted.reserved.push_back(block);
    if (tree_.ready(block)) touched_.push_back(tree_.first_slot(block));
  }
}

void Scheduler::drop_reservation(int level, int block) {
  std::vector<int>& reserved = levels_[static_cast<std::size_t>(level)].reserved;
  reserved.erase(std::find(reserved.begin(), reserved.end(), block));
  tree_.unreserve(block);
  for (Level& other : levels_)
    if (other.exhausted && other.waiting() > 0) other.opened.push_back(block);
  const int first = tree_.first_slot(block);
  for (int slot = first; slot < first + tree_.slots_in(block); ++slot)
    if (tree_.idle(slot)) touched_.push_back(slot);
}

void Scheduler::place_narrow(std::span<const int> slots, double now, std::vector<Assignment>& out) {
  const double plenty = 2 * shares_left * shortest_batch * workers_;
  const double in_time = (horizon_ - now) / caution;
  for (const int slot : slots) {
    if (narrow_left_ == 0) return;
    std::uint8_t& outstanding = outstanding_[static_cast<std::size_t>(slot)];
    if (outstanding == 0 && tree_.idle(slot))
      give_batch(slot, now, std::min(in_time, window_of(slot, now)), out);
    if (outstanding == 1 && waiting_wide_ == 0 && narrow_seconds_left() > plenty &&
        others_stay_busy(slot, now))
      give_batch(slot, now, in_time - std::max(0.0, end_[static_cast<std::size_t>(slot)] - now), out);
  }
}

/// Whether a second batch for the slot ends before its fair share of what is left: else the others would run
/// out of work while it waits there.
bool Scheduler::others_stay_busy(int slot, double now) {
  const double share = narrow_seconds_left() / workers_;
  const double longest = seconds_of(narrow_[alive(0)]), busy = end_[static_cast<std::size_t>(slot)] - now;
  return busy + std::max(longest, share / shares_left) <= share;
}

double Scheduler::window_of(int slot, double now) const {
  const int reservation = tree_.reservation_over(tree_.block_of(slot, 0));
  return reservation == 0 ? forever : tree_.end(reservation) - now;
}

double Scheduler::narrow_seconds_left() const {
  return std::inner_product(left_by_kind_.begin(), left_by_kind_.end(), correction_.begin(), 0.0);
}

std::size_t Scheduler::alive(std::size_t position) {
  while (next_left_[position] != position) position = next_left_[position] = next_left_[next_left_[position]];
  return position;
}

bool Scheduler::give_batch(int slot, double now, double window, std::vector<Assignment>& out) {
  const double share = narrow_seconds_left() / (shares_left * workers_);
  const double target = std::min(std::clamp(share, shortest_batch, longest_batch), window);
  std::size_t position = 0;
  if (window < forever) {
    const double fastest = *std::min_element(correction_.begin(), correction_.end());
    position = static_cast<std::size_t>(
        std::partition_point(narrow_.begin(), narrow_.end(),
                             [&](std::uint32_t i) { return fastest * tasks_[i].seconds > window; }) -
        narrow_.begin());
  }
  Assignment batch{tree_.block_of(slot, 0), {}, 0};
  for (position = alive(position); position < narrow_.size() && batch.items.size() < largest_batch;
       position = alive(position)) {
    const std::uint32_t item = narrow_[position];
    const double more = seconds_of(item);
    if (batch.items.empty() && more > window) {  // of a slow kind: a shorter one may fit
      ++position;
      continue;
    }
    if (!batch.items.empty() && batch.seconds + more > target) break;
    batch.items.push_back(item);
    batch.seconds += more;
    left_by_kind_[tasks_[item].kind] -= tasks_[item].seconds;
    next_left_[position] = static_cast<std::uint32_t>(position) + 1;
  }
  if (batch.items.empty()) return false;
  narrow_left_ -= batch.items.size();
  handed_out_ += batch.items.size();
  if (narrow_left_ == 0) std::fill(left_by_kind_.begin(), left_by_kind_.end(), 0.0);
  std::uint8_t& outstanding = outstanding_[static_cast<std::size_t>(slot)];
  double& end = end_[static_cast<std::size_t>(slot)];
  end = (outstanding == 0 ? now : std::max(end, now)) + batch.seconds;
  ++outstanding;
  tree_.set_busy(slot, end);
  out.push_back(std::move(batch));
  return true;
}

}  // namespace stemma
