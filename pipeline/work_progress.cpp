// What is under way counts at the pace of what ended.
#include "pipeline/work_progress.hpp"

#include <algorithm>
#include <vector>

#include "pipeline/machine.hpp"

namespace stemma {

WorkState state_of(const WorkView& view, double elapsed) {
  const WorkCounters& c = view.counters;
  WorkState s{.items = c.items,
              .items_total = c.items_total,
              .bytes = c.bytes,
              .bytes_total = c.bytes_total,
              .failed = c.failed,
              .elapsed = elapsed,
              .peak_memory = std::max(c.peak_memory.load(), peak_memory()),
              .memory_per_rank = c.memory_per_rank};
  const PredictedWork work{c.seconds_total, c.seconds, c.seconds_here, c.actual_seconds};
  const std::vector<OngoingItem> ongoing = view.under_way.items();
  double under_way = 0;
  for (const OngoingItem& one : ongoing)
    under_way += share_done(work, one.seconds, view.predicted(one.item), one.ranks);
  if (const auto longest = std::ranges::max_element(ongoing, {}, &OngoingItem::seconds);
      longest != ongoing.end()) {
    s.longest = view.name(longest->item);
    s.longest_ranks = longest->ranks;
    s.longest_seconds = longest->seconds;
  }
  s.eta = seconds_to_go(work, under_way, elapsed);
  return s;
}

}  // namespace stemma
