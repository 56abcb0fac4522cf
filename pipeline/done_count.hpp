// How is it counted what a long loop has done, for whoever shows it?
#pragma once
#include <atomic>
#include <cstdint>

namespace stemma {

/// How many are done; any thread may count.
using DoneCount = std::atomic<std::uint64_t>;

/// One more, where somebody wants to know.
inline void count_one(DoneCount* done) {
  if (done) ++*done;
}

}  // namespace stemma
