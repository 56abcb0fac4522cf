// A queue for each rank, behind one lock that nobody holds for long.
#include "pipeline/under_way.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "pipeline/clock.hpp"

namespace stemma {

UnderWay::UnderWay(Clock clock) : clock_(std::move(clock)) {
  if (!clock_) clock_ = [watch = Stopwatch()] { return watch.seconds(); };
}

void UnderWay::leave_out(std::uint32_t item) { left_out_.push_back(item); }

void UnderWay::add(int rank, Batch batch) {
  const double now = clock_();
  const std::lock_guard lock(mutex_);
  Worker& worker = workers_[rank];
  if (worker.batches.empty()) worker.since = now;
  worker.batches.push_back(std::move(batch));
}

void UnderWay::send(int rank, std::span<const std::uint32_t> items) {
  Batch batch;
  std::ranges::copy_if(items, std::back_inserter(batch.items), [&](std::uint32_t item) {
    return std::ranges::find(left_out_, item) == left_out_.end();
  });
  left_out_.clear();
  add(rank, std::move(batch));
}

void UnderWay::send_to_team(std::span<const int> ranks, std::uint32_t item) {
  int together = static_cast<int>(ranks.size());
  for (const int rank : ranks) add(rank, {{item}, std::exchange(together, 0)});
}

void UnderWay::end(int rank, std::uint32_t item) {
  const double now = clock_();
  const std::lock_guard lock(mutex_);
  Worker& worker = workers_[rank];
  if (worker.batches.empty()) return;
  std::deque<std::uint32_t>& items = worker.batches.front().items;
  const auto at = std::ranges::find(items, item);
  if (at != items.end()) items.erase(items.begin(), at + 1);
  worker.since = now;
}

void UnderWay::end_batch(int rank) {
  const double now = clock_();
  const std::lock_guard lock(mutex_);
  Worker& worker = workers_[rank];
  if (worker.batches.empty()) return;
  worker.batches.pop_front();
  worker.since = now;
}

void UnderWay::forget_all() {
  const std::lock_guard lock(mutex_);
  workers_.clear();
  left_out_.clear();
}

std::vector<OngoingItem> UnderWay::items() const {
  const double now = clock_();
  const std::lock_guard lock(mutex_);
  std::vector<OngoingItem> out;
  for (const auto& [rank, worker] : workers_) {
    const auto batch = std::ranges::find_if(worker.batches, [](const Batch& b) { return !b.items.empty(); });
    if (batch == worker.batches.end() || batch->ranks == 0) continue;
    out.push_back({batch->items.front(), rank, batch->ranks, now - worker.since});
  }
  return out;
}

}  // namespace stemma
