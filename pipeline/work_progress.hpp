// How far is work that was predicted?
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "pipeline/progress_words.hpp"
#include "pipeline/under_way.hpp"

namespace stemma {

/// Counters of the work stage, written by whoever takes results and read by the thread that shows them. Work
/// in rank-seconds.
struct WorkCounters {
  std::uint64_t items_total = 0;
  std::uint64_t bytes_total = 0;
  std::uint64_t memory_per_rank = 0;  ///< the budget, bytes
  double seconds_total = 0;           ///< predicted work of all items
  std::atomic<std::uint64_t> items = 0;
  std::atomic<std::uint64_t> failed = 0;
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<std::uint64_t> peak_memory = 0;  ///< of the rank that used most, as far as ranks have told
  std::atomic<double> seconds = 0;             ///< predicted work of the items that ended
  std::atomic<double> seconds_here = 0;        ///< of these, items that were done now
  std::atomic<double> actual_seconds = 0;      ///< that these took
};

/// What is known of the work. All of it may be asked by another thread than the one that works.
struct WorkView {
  const WorkCounters& counters;
  const UnderWay& under_way;
  std::function<std::string(std::uint32_t item)> name;
  std::function<double(std::uint32_t item)> predicted;  ///< seconds, at its width
};

/// Work that has gone on for so many seconds.
WorkState state_of(const WorkView& view, double elapsed);

}  // namespace stemma
