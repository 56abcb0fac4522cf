// What does a trace say on the screen and to scripts?
#pragma once
#include <span>
#include <string>

#include "pipeline/trace.hpp"

namespace stemma {

/// The verdict on one pair, one line for each reading, the control, and what was read and how long it took.
std::string trace_summary(const Pair& pair, const PairTrace& trace);
/// A pair that was asked for and whose weights cannot be read.
struct UnreadPair {
  std::string base, candidate;
  std::string rule, sentence;  ///< why, of the model that cannot be read
};

/// TSV, one row for each pair. A pair that was not read abstains, by the rule that its model broke.
std::string traces_table(std::span<const Pair> pairs, std::span<const PairTrace> traces,
                         std::span<const UnreadPair> unread);
/// stemma.trace/1. Pairs and traces are parallel.
std::string trace_json(std::span<const Pair> pairs, const TraceResult& result,
                       std::span<const UnreadPair> unread = {});
/// "42.1 MB read in 2.0 s, 1.00 times the weights"
std::string cost_words(const TraceResult& result);

}  // namespace stemma
